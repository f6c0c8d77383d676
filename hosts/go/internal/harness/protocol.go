package main

import (
	"encoding/base64"
	"encoding/json"
	"errors"

	"github.com/countersign/countersign/hosts/go/countersign"
)

// A command has exactly one member.
type command struct {
	Open, Due, Supply, Request, Token, Close *args
	NextDue                                  *args `json:"next_due"`
}

func (c *command) args() (*args, error) {
	for _, args := range []*args{c.Due, c.NextDue, c.Supply, c.Request, c.Token, c.Close} {
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
	At          uint64
	Source      uint32
	URI         string
	Response    *response
	Request     request
	Token       text
	Requirement *string
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
}

func (r *request) request() countersign.Request {
	request := countersign.Request{Method: string(r.Method), Authority: string(r.Authority), Target: string(r.Target)}
	for _, header := range r.Headers {
		request.Headers = append(request.Headers, countersign.Header{Name: string(header[0]), Value: string(header[1])})
	}
	return request
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
		set := [][2]string{}
		for _, header := range grant.SetHeaders {
			set = append(set, [2]string{header.Name, header.Value})
		}
		return reply{"allow": reply{
			"principal":      grant.Principal,
			"others":         othersOf(grant.Principals),
			"set_headers":    set,
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
		}}
	case answer.Answered != nil:
		answered := answer.Answered
		headers := [][2]string{}
		for _, header := range answered.Header {
			headers = append(headers, [2]string{header.Name, header.Value})
		}
		return reply{"answer": reply{"status": answered.Status, "headers": headers, "body": string(answered.Body)}}
	default:
		return reply{"wait": fetchesOf(answer.Wait)}
	}
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
			"timeout_ms": fetch.Timeout.Milliseconds(),
			"max_bytes":  fetch.MaxBytes,
		})
	}
	return replies
}

func problemsOf(problems []countersign.Problem) []reply {
	replies := []reply{}
	for _, problem := range problems {
		replies = append(replies, reply{
			"pointer":  problem.Pointer,
			"code":     problem.Code,
			"message":  problem.Message,
			"severity": problem.Severity,
		})
	}
	return replies
}
