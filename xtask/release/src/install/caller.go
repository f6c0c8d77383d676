// Command caller starts a service in the current folder, whose policy it first
// changes to the keys of an issuer that it serves itself. It calls the service
// without a token, with a token of the issuer, and with one that another key
// has signed.
package main

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"time"
)

const keysURI = "https://auth.example.com/.well-known/jwks.json"

func main() {
	if err := run(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(service, address, protocol string) error {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	issuer := httptest.NewServer(keys(&key.PublicKey))
	defer issuer.Close()
	if err := usePolicy(issuer.URL); err != nil {
		return err
	}

	var log strings.Builder
	command := exec.Command(service)
	command.Stdout, command.Stderr = &log, &log
	if err := command.Start(); err != nil {
		return err
	}
	calls := call(address, protocol, key, other)
	_ = command.Process.Kill()
	_ = command.Wait()
	if calls != nil {
		return fmt.Errorf("%w; the service wrote: %s", calls, &log)
	}
	return nil
}

func call(address, protocol string, key, other *rsa.PrivateKey) error {
	if err := waitFor(address); err != nil {
		return err
	}
	send, allowed, denied := sendHTTP, "200 hello ada", "401 "
	if protocol == "grpc" {
		send, allowed, denied = sendGRPC, "status 0", "status 16"
	}
	for _, test := range []struct{ name, token, want string }{
		{"without a token", "", denied},
		{"with a token", sign(key), allowed},
		{"with a token of another key", sign(other), denied},
	} {
		got, err := send(address, test.token)
		if err != nil {
			return fmt.Errorf("%s: %w", test.name, err)
		}
		if !strings.HasPrefix(got, test.want) {
			return fmt.Errorf("%s: %q instead of %q", test.name, got, test.want)
		}
	}
	return nil
}

// usePolicy changes only where the keys are, in JSON and in YAML.
func usePolicy(issuer string) error {
	name := "policy.json"
	text, err := os.ReadFile(name)
	if errors.Is(err, os.ErrNotExist) {
		name = "policy.yaml"
		text, err = os.ReadFile(name)
	}
	if err != nil {
		return err
	}
	local := strings.Replace(string(text), `"`+keysURI+`"`, `"`+issuer+`", "insecure_http": true`, 1)
	if local == string(text) {
		return errors.New("the policy has no " + keysURI)
	}
	return os.WriteFile(name, []byte(local), 0o644)
}

func keys(key *rsa.PublicKey) http.HandlerFunc {
	encode := base64.RawURLEncoding.EncodeToString
	exponent := binary.BigEndian.AppendUint32(nil, uint32(key.E))[1:]
	return func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{"keys": []any{map[string]string{
			"kty": "RSA", "kid": "1", "alg": "RS256", "n": encode(key.N.Bytes()), "e": encode(exponent),
		}}})
	}
}

func sign(key *rsa.PrivateKey) string {
	encode := base64.RawURLEncoding.EncodeToString
	now := time.Now().Unix()
	claims := fmt.Sprintf(`{"iss":"https://auth.example.com","aud":"platform","sub":"ada","iat":%d,"exp":%d}`, now, now+600)
	signed := encode([]byte(`{"alg":"RS256","kid":"1"}`)) + "." + encode([]byte(claims))
	digest := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, digest[:])
	if err != nil {
		panic(err)
	}
	return signed + "." + encode(signature)
}

func waitFor(address string) error {
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if connection, err := net.Dial("tcp", address); err == nil {
			return connection.Close()
		}
	}
	return errors.New("the service does not listen")
}

// sendHTTP returns the status and the body.
func sendHTTP(address, token string) (string, error) {
	request, err := http.NewRequest(http.MethodGet, "http://"+address+"/", nil)
	if err != nil {
		return "", err
	}
	response, body, err := send(http.DefaultClient, request, token)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%d %s", response.StatusCode, body), nil
}

// sendGRPC calls the health service with an empty message, and returns the
// status of gRPC.
func sendGRPC(address, token string) (string, error) {
	var protocols http.Protocols
	protocols.SetUnencryptedHTTP2(true)
	client := &http.Client{Transport: &http.Transport{Protocols: &protocols}}
	message := strings.NewReader("\x00\x00\x00\x00\x00")
	request, err := http.NewRequest(http.MethodPost, "http://"+address+"/grpc.health.v1.Health/Check", message)
	if err != nil {
		return "", err
	}
	request.Header.Set("Content-Type", "application/grpc")
	request.Header.Set("TE", "trailers")
	response, _, err := send(client, request, token)
	if err != nil {
		return "", err
	}
	return "status " + response.Header.Get("Grpc-Status") + response.Trailer.Get("Grpc-Status"), nil
}

func send(client *http.Client, request *http.Request, token string) (*http.Response, []byte, error) {
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return response, body, err
}
