package routers

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/countersign/countersign/hosts/go/internal/issuertest"
)

const (
	// Requests to each router; COUNTERSIGN_REQUESTS says more.
	requests = 4000
	// The seed of the requests; COUNTERSIGN_SEED says another.
	seed = 13
)

// Whatever handler runs, the gate has judged by the rule of that handler, or
// it has denied.
func TestTheHandlerThatRunsIsTheOneThatWasJudged(t *testing.T) {
	issuer := issuertest.New(t, issuertest.A)
	gate := newGate(t, issuer)
	token := func(scope string) string {
		return issuer.Fresh(object{"aud": "api", "sub": "ada", "scope": scope})
	}
	callers := []caller{
		{"", map[string]bool{"public": true}},
		{token("read"), map[string]bool{"public": true, "read": true}},
		{token("item"), map[string]bool{"public": true, "item": true}},
		{token("root"), map[string]bool{"public": true, "root": true}},
	}
	count, from := number("COUNTERSIGN_REQUESTS", requests), uint64(number("COUNTERSIGN_SEED", seed))
	for name, handler := range map[string]http.Handler{
		"ServeMux": gate.Middleware(mux()), "chi": gate.Middleware(chiRouter()), "a group of chi": chiGroup(gate),
		"FileServer": gate.Middleware(files(t)), "ReverseProxy": gate.Middleware(proxied(t)),
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(handler)
			defer server.Close()
			client := &client{address: server.Listener.Addr().String()}
			defer client.close()
			random := rand.New(rand.NewPCG(from, 0))
			ran := map[string]int{}
			for range count {
				caller := callers[random.IntN(len(callers))]
				request := mutated(random, caller.token)
				// A group's gate comes after chi has chosen by the raw path, which
				// it cannot change: the README says to put it in front.
				if name == "a group of chi" && reserved.MatchString(request) {
					continue
				}
				handler := client.send(t, request)
				ran[handler]++
				if handler != "" && !caller.may[handler] {
					t.Errorf("seed %d: handler %q ran for %q", from, handler, strings.SplitN(request, "Authorization", 2)[0])
				}
			}
			t.Log(ran)
			for _, handler := range []string{"public", "read", "item", "root"} {
				if ran[handler] == 0 {
					t.Errorf("handler %q never ran: the requests find nothing", handler)
				}
			}
		})
	}
}

func number(variable string, otherwise int) int {
	if said, err := strconv.Atoi(os.Getenv(variable)); err == nil {
		return said
	}
	return otherwise
}

// Escapes of characters that a pattern may have as they are.
var reserved = regexp.MustCompile(`(?i)%(40|3a)`)

type caller struct {
	token string
	may   map[string]bool
}

func pick(random *rand.Rand, of []string) string { return of[random.IntN(len(of))] }

var (
	bases = []string{
		"/public/a", "/a@b:c/a", "/read/a", "/admin/a", "/items/1", "/", "/secret", "/public/", "/public", "/admin", "/public/x/../../admin/a", "/public/..%2fadmin/a",
	}
	pieces = []string{
		"/", "//", "/./", "/../", ".", "..", "%2f", "%2F", "%5c", "\\", "%2e", "%2e%2e", "%252f", "%25", "%00", "%", "%zz", ";", ";a=b", "?", "?a=/admin/a",
		"#", " ", "%20", "%0a", "%0d%0a", "\x00", "\xff", "%c0%af", "%e2%80%8b", "*", ":", "@", "a", "A", "index.html", "admin/a", "/admin/a", "public/", "/public/", "items/",
	}
	fronts  = []string{"http://example.com", "HTTP://example.com", "http://example.com:80", "https://x", "x:", "x:y://z", "x:http://example.com", "http:", "//example.com", "ftp://example.com", "*", "http://a@example.com"}
	methods = []string{"GET", "GET", "GET", "GET", "POST", "HEAD", "OPTIONS", "CONNECT", "TRACE", "get", "PUT"}
	hosts   = []string{"example.com", "example.com", "example.com", "EXAMPLE.com", "example.com.", "x", "example.com:80", ""}
	spoofs  = []string{"", "", "X-Auth-Subject: eve\r\n", "X_Auth_Subject: eve\r\n", "x-auth_subject: eve\r\n", "Connection: x-auth-subject\r\n", "X-Original-Url: /public/a\r\n", "X-Http-Method-Override: GET\r\n"}
)

func mutated(random *rand.Rand, token string) string {
	target := pick(random, bases)
	for range random.IntN(3) {
		at := random.IntN(len(target) + 1)
		switch random.IntN(6) {
		case 0, 1:
			target = target[:at] + pick(random, pieces) + target[at:]
		case 2:
			target = target[:at] + target[min(at+1, len(target)):]
		case 3:
			if at < len(target) {
				target = target[:at] + fmt.Sprintf("%%%02x", target[at]) + target[at+1:]
			}
		case 4:
			target = target[:at] + strings.ToUpper(target[at:])
		case 5:
			target = pick(random, fronts) + target
		}
	}
	request := pick(random, methods) + " " + target + " HTTP/1.1\r\nHost: " + pick(random, hosts) + "\r\n" + pick(random, spoofs)
	if token != "" {
		request += "Authorization: Bearer " + token + "\r\n"
	}
	return request + "\r\n"
}

// A client sends bytes, on a connection for as long as it lasts.
type client struct {
	address    string
	connection net.Conn
	reader     *bufio.Reader
}

// send says which handler ran, if any.
func (c *client) send(t *testing.T, request string) string {
	t.Helper()
	if c.connection == nil {
		connection, err := net.Dial("tcp", c.address)
		if err != nil {
			t.Fatal(err)
		}
		c.connection, c.reader = connection, bufio.NewReader(connection)
	}
	_ = c.connection.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.WriteString(c.connection, request); err != nil {
		c.close()
		return ""
	}
	method, _, _ := strings.Cut(request, " ")
	answer, err := http.ReadResponse(c.reader, &http.Request{Method: method})
	if err != nil {
		// The server has said nothing more on this connection.
		c.close()
		return ""
	}
	_, _ = io.Copy(io.Discard, answer.Body)
	_ = answer.Body.Close()
	// What is behind a target with a line break is another request.
	if answer.Close || method == "CONNECT" || c.reader.Buffered() > 0 {
		c.close()
	}
	return answer.Header.Get("Handler")
}

func (c *client) close() {
	if c.connection != nil {
		_ = c.connection.Close()
		c.connection = nil
	}
}
