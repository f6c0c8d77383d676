package countersign

import (
	"crypto/sha256"
	"crypto/tls"
	"net/http"
	"net/netip"
)

// A Connection is what is known about the connection of a request. What is not
// known is empty.
type Connection struct {
	// Scheme is `http` or `https`, as the client used it.
	Scheme string
	// Certificate is the SHA-256 of the certificate by which the client has
	// authenticated in TLS: 32 bytes.
	Certificate []byte
	// Peer is the address of the peer: 4 or 16 bytes.
	Peer []byte
}

// connectionOf returns what the server knows about the connection of a request.
// Nothing of it is from a header.
func connectionOf(r *http.Request) Connection {
	connection := Connection{Certificate: certificateOf(r.TLS), Peer: peerOf(r.RemoteAddr)}
	switch {
	case r.TLS != nil:
		connection.Scheme = "https"
	case r.RemoteAddr != "":
		connection.Scheme = "http"
	}
	return connection
}

// certificateOf returns the SHA-256 of the client's certificate, or nil. In the
// handshake, crypto/tls has verified that the client has its key. Who must have
// signed it is a matter of [tls.Config]: for a self-signed certificate (RFC 8705
// §2.2) its hash is enough. Early data, which can be replayed, is no proof.
func certificateOf(state *tls.ConnectionState) []byte {
	if state == nil || !state.HandshakeComplete || len(state.PeerCertificates) == 0 {
		return nil
	}
	sum := sha256.Sum256(state.PeerCertificates[0].Raw)
	return sum[:]
}

// peerOf returns the bytes of an address with a port. One without a port is not
// from the server: middlewares set it from a header such as X-Forwarded-For.
func peerOf(address string) []byte {
	peer, err := netip.ParseAddrPort(address)
	if err != nil {
		return nil
	}
	return peer.Addr().Unmap().AsSlice()
}
