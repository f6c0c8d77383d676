package countersign

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"strconv"
	"strings"
)

// A DocumentReason says why a document was not accepted.
type DocumentReason string

const (
	// ReasonDNS: the server's name has no address.
	ReasonDNS DocumentReason = "dns"
	// ReasonConnection: there was no connection, or it broke.
	ReasonConnection DocumentReason = "connection"
	// ReasonTLS: the handshake failed, or the certificate is not trusted.
	ReasonTLS DocumentReason = "tls"
	// ReasonTimeout: the document did not come in time.
	ReasonTimeout DocumentReason = "timeout"
	// ReasonStatus: the HTTP status is not 200.
	ReasonStatus DocumentReason = "status"
	// ReasonRedirect: the server redirected, which is not followed.
	ReasonRedirect DocumentReason = "redirect"
	// ReasonTooLarge: the document is larger than it may be.
	ReasonTooLarge DocumentReason = "too_large"
	// ReasonRefused: the document came and cannot be used.
	ReasonRefused DocumentReason = "refused"
)

// A failure is the reason why a fetch got no document.
type failure struct {
	reason DocumentReason
	detail string
}

var errTooLong = errors.New("the document is too large")

// failureOf returns the failure of an error of [exchange].
func failureOf(err error) *failure {
	var (
		name    *net.DNSError
		network net.Error
	)
	switch {
	case errors.Is(err, errTooLong):
		return &failure{reason: ReasonTooLarge}
	case errors.As(err, &name):
		return &failure{reason: ReasonDNS}
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &network) && network.Timeout():
		return &failure{reason: ReasonTimeout}
	case isTLS(err):
		return &failure{reason: ReasonTLS}
	}
	return &failure{reason: ReasonConnection}
}

// failureBy returns the failure of a status other than 200.
func failureBy(status int) *failure {
	reason := ReasonStatus
	if status >= 300 && status < 400 {
		reason = ReasonRedirect
	}
	return &failure{reason, strconv.Itoa(status)}
}

func isTLS(err error) bool {
	var (
		certificate *tls.CertificateVerificationError
		record      tls.RecordHeaderError
		alert       tls.AlertError
		authority   x509.UnknownAuthorityError
		hostname    x509.HostnameError
		operation   *net.OpError
	)
	return errors.As(err, &certificate) || errors.As(err, &record) || errors.As(err, &alert) ||
		errors.As(err, &authority) || errors.As(err, &hostname) ||
		errors.Is(err, http.ErrSchemeMismatch) ||
		// An alert of the server.
		errors.As(err, &operation) && operation.Op == "remote error" ||
		// Other errors of crypto/tls have no type of their own.
		strings.HasPrefix(reason(err), "tls: ")
}
