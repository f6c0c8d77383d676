package main

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/netip"

	"github.com/countersign/countersign/hosts/go/countersign"
)

// A command has exactly one member.
type command struct {
	Open, Due, Supply, Respond, Request, Token, Close, Digest, Ready *args

	NextDue    *args `json:"next_due"`
	LastEvent  *args `json:"last_event"`
	OpenSigned *args `json:"open_signed"`
}

func (c *command) args() (*args, error) {
	for _, args := range []*args{c.Due, c.NextDue, c.Supply, c.Respond, c.Request, c.Token, c.Close, c.LastEvent, c.Digest, c.Ready} {
		if args != nil {
			return args, nil
		}
	}
	return nil, errors.New("no command")
}

// args are the arguments of all commands.
type args struct {
	Gate        uint32
	Policy      string
	Secrets     map[string]string
	At          uint64
	Source      uint32
	URI         string
	Response    *response
	Request     request
	Token       text
	Requirement *string
	Proven      bool
	Ticket      uint64
	SubjectKey  string `json:"subject_key"`
	Signed      string
	Trust       string
}

// A text is bytes: in JSON a string if they are UTF-8, else `{ "base64": … }`.
type text string

func (t *text) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '"' {
		return json.Unmarshal(data, (*string)(t))
	}
	var binary struct{ Base64 string }
	if err := json.Unmarshal(data, &binary); err != nil {
		return err
	}
	bytes, err := base64.StdEncoding.DecodeString(binary.Base64)
	*t = text(bytes)
	return err
}

type request struct {
	Method, Authority, Target text
	Headers                   [][2]text
	Connection                connection
}

// A connection has a hash in hexadecimal and an address as text.
type connection struct{ Scheme, Certificate, Peer string }

func (c connection) connection() (countersign.Connection, error) {
	certificate, err := hex.DecodeString(c.Certificate)
	if err != nil || c.Peer == "" {
		return countersign.Connection{Scheme: c.Scheme, Certificate: certificate}, err
	}
	peer, err := netip.ParseAddr(c.Peer)
	return countersign.Connection{Scheme: c.Scheme, Certificate: certificate, Peer: peer.AsSlice()}, err
}

func (r *request) request() (countersign.Request, error) {
	request := countersign.Request{Method: string(r.Method), Authority: string(r.Authority), Target: string(r.Target)}
	for _, header := range r.Headers {
		request.Headers = append(request.Headers, countersign.Header{Name: string(header[0]), Value: string(header[1])})
	}
	connection, err := r.Connection.connection()
	request.Connection = connection
	return request, err
}

type response struct {
	Status       int
	CacheControl string `json:"cache_control"`
	Body         text
}

func (r *response) response() *countersign.Response {
	if r == nil {
		return nil
	}
	return &countersign.Response{Status: r.Status, CacheControl: r.CacheControl, Body: []byte(r.Body)}
}

func decisionOf(answer countersign.Answer) reply {
	switch {
	case answer.Grant != nil:
		grant := answer.Grant
		return reply{"allow": reply{
			"principal":      grant.Principal,
			"others":         othersOf(grant.Principals),
			"set_headers":    pairsOf(grant.SetHeaders),
			"remove_headers": append([]string{}, grant.RemoveHeaders...),
			"changes":        changesOf(answer.Changes),
		}}
	case answer.Denial != nil:
		denial := answer.Denial
		return reply{"deny": reply{
			"code":          denial.Code,
			"status":        denial.Status,
			"message":       denial.Message,
			"challenge":     orNull(denial.Challenge),
			"claim":         orNull(denial.Claim),
			"principal":     orNull(denial.Principal),
			"retry_after_s": orNull(int(denial.RetryAfter.Seconds())),
			"nonce":         orNull(denial.Nonce),
		}}
	case answer.Answered != nil:
		answered := answer.Answered
		return reply{"answer": reply{"status": answered.Status, "headers": pairsOf(answered.Header), "body": string(answered.Body)}}
	default:
		return reply{"wait": append(fetchesOf(answer.Wait), requestsOf(answer.Requests)...)}
	}
}

func eventOf(facts countersign.Facts) reply {
	event := reply{
		"rule":        nil,
		"issuer":      orNull(facts.Issuer),
		"token_type":  orNull(facts.TokenType),
		"remembered":  facts.Remembered,
		"subject_ref": orNull(facts.SubjectRef),
		"effects":     orNull(hex.EncodeToString([]byte(facts.Effects))),
	}
	if rule := facts.Rule; rule != nil {
		event["rule"] = reply{"index": rule.Index, "name": orNull(rule.Name), "path": rule.Path}
	}
	return event
}

func othersOf(principals map[string]*countersign.Principal) reply {
	others := reply{}
	for name, principal := range principals {
		others[name] = principal
	}
	return others
}

func changesOf(changes []countersign.Change) []reply {
	replies := []reply{}
	for _, change := range changes {
		switch {
		case change.Target != "":
			replies = append(replies, reply{"set_target": change.Target})
		case change.IsRemoval:
			replies = append(replies, reply{"remove_header": change.Name})
		default:
			replies = append(replies, reply{"set_header": [2]string{change.Name, change.Value}})
		}
	}
	return replies
}

func orNull[T comparable](value T) any {
	var zero T
	if value == zero {
		return nil
	}
	return value
}

func fetchesOf(fetches []countersign.Fetch) []reply {
	replies := []reply{}
	for _, fetch := range fetches {
		replies = append(replies, reply{
			"source":     fetch.Source,
			"issuer":     fetch.Issuer,
			"kind":       fetch.Kind,
			"uri":        fetch.URI,
			"headers":    pairsOf(fetch.Headers),
			"timeout_ms": fetch.Timeout.Milliseconds(),
			"max_bytes":  fetch.MaxBytes,
		})
	}
	return replies
}

func requestsOf(requests []countersign.Outgoing) (replies []reply) {
	for _, request := range requests {
		replies = append(replies, reply{
			"source":     0,
			"issuer":     request.Issuer,
			"kind":       "introspection",
			"uri":        request.URI,
			"headers":    pairsOf(request.Headers),
			"ticket":     request.Ticket,
			"body":       string(request.Body),
			"timeout_ms": request.Timeout.Milliseconds(),
			"max_bytes":  request.MaxBytes,
		})
	}
	return replies
}

func pairsOf(headers []countersign.Header) [][2]string {
	pairs := [][2]string{}
	for _, header := range headers {
		pairs = append(pairs, [2]string{header.Name, header.Value})
	}
	return pairs
}

func problemsOf(problems []countersign.Problem) []reply {
	replies := []reply{}
	for _, problem := range problems {
		replies = append(replies, problemOf(problem))
	}
	return replies
}

func problemOf(problem countersign.Problem) reply {
	return reply{
		"pointer":  problem.Pointer,
		"code":     problem.Code,
		"message":  problem.Message,
		"severity": problem.Severity,
	}
}
