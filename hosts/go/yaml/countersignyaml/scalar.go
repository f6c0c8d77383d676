package countersignyaml

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

var (
	number      = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$`)
	numberLike  = regexp.MustCompile(`^[-+]?\.?[0-9]`)
	ambiguous   = regexp.MustCompile(`(?i)^(y|n|yes|no|on|off|true|false|null|~|=|<<|[-+]?\.inf|\.nan)$`)
	blockHeader = regexp.MustCompile(`^\|-? *( #.*)?$`)
	doubleQuote = regexp.MustCompile(`^"((?:[^"\\]|\\.)*)"`)
	singleQuote = regexp.MustCompile(`^'(?:[^']|'')*'`)
	jsonEscape  = regexp.MustCompile(`^(?:[^\\]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*$`)
	surrogate   = regexp.MustCompile(`^(?:[^\\]|\\[^u]|\\u.{4})*?\\u[dD][89a-fA-F]`)
)

// scalar returns the value of a scalar: a string, a [json.Number], a bool or
// nil.
func (s *source) scalar(n *yaml.Node) (any, error) {
	switch {
	case n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0:
		_, err := s.quoted(n)
		return n.Value, err
	case n.Style&yaml.LiteralStyle != 0:
		if !blockHeader.MatchString(s.from(n)) {
			return nil, refuse(n, "begin a literal text with only `|` or `|-`")
		}
		return n.Value, nil
	case n.Style&yaml.FoldedStyle != 0:
		return nil, refuse(n, "folded texts (`>`) are not allowed")
	}
	return s.plain(n)
}

func (s *source) plain(n *yaml.Node) (any, error) {
	switch text := n.Value; {
	case text == "":
		return nil, refuse(n, "there is no value: write `null`")
	case !strings.HasPrefix(s.from(n), text):
		return nil, refuse(n, "a plain text must be on one line")
	case text == "true", text == "false":
		return text == "true", nil
	case text == "null":
		return nil, nil
	case number.MatchString(text):
		if _, err := strconv.ParseFloat(text, 64); err != nil {
			return nil, refuse(n, "the number is too large for 64-bit floating point")
		}
		return json.Number(text), nil
	case numberLike.MatchString(text):
		return nil, refuse(n, "it begins like a number but is not a JSON number: quote it")
	case ambiguous.MatchString(text):
		return nil, refuse(n, "some YAML readers do not read it as a text: quote it")
	case hasAny(text, "-?:"):
		return nil, refuse(n, "a plain text must not begin with `-`, `?` or `:`: quote it")
	default:
		return text, nil
	}
}

// quoted returns a quoted scalar as it is written, with its quotes.
func (s *source) quoted(n *yaml.Node) (string, error) {
	rest := s.from(n)
	if n.Style&yaml.SingleQuotedStyle != 0 {
		if written := singleQuote.FindString(rest); written != "" {
			return written, nil
		}
		return "", refuse(n, "a quoted text must be on one line")
	}
	written := doubleQuote.FindStringSubmatch(rest)
	switch {
	case written == nil:
		return "", refuse(n, "a quoted text must be on one line")
	case !jsonEscape.MatchString(written[1]):
		return "", refuse(n, "only the escapes of JSON are allowed")
	case surrogate.MatchString(written[1]):
		return "", refuse(n, "surrogates (`\\ud800`) are not allowed: write the character itself")
	}
	return written[0], nil
}

// key returns the text of a key.
func (s *source) key(n *yaml.Node) (string, error) {
	before, rest := s.split(n)
	if n.Kind != yaml.ScalarNode || n.Anchor != "" || n.Style&yaml.TaggedStyle != 0 || hasAny(rest, "&*!") {
		return "", refuse(n, "a key must be a text without anchor, alias or tag")
	}
	value, err := s.scalar(n)
	if err != nil {
		return "", err
	}
	text, isText := value.(string)
	if !isText {
		return "", refuse(n, "a key must be a text: quote it")
	}
	written := text
	if n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 {
		if written, err = s.quoted(n); err != nil {
			return "", err
		}
	}
	isExplicit := strings.HasSuffix(strings.TrimRight(before, " "), "?")
	if isExplicit || !strings.HasPrefix(strings.TrimLeft(strings.TrimPrefix(rest, written), " "), ":") {
		return "", refuse(n, "write a key and its colon on one line, without `?`")
	}
	return text, nil
}
