package countersignyaml

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// A source is the original text. Unlike the library's nodes, it shows how a
// scalar is written and how many lines it has.
type source struct {
	text  []byte
	lines []string
	// The offset of each character, for lines that are not ASCII: the library's
	// columns count characters, not bytes.
	starts map[int][]int
}

func readSource(text []byte) (*source, error) {
	if len(text) > maxBytes {
		return nil, &Error{Message: "it is larger than 16 MiB"}
	}
	text = bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))
	if len(text) > 0 && text[len(text)-1] != '\n' {
		text = append(bytes.Clone(text), '\n')
	}
	s := &source{text: text, lines: strings.Split(string(text), "\n"), starts: map[int][]int{}}
	if err := s.characters(); err != nil {
		return nil, err
	}
	return s, s.markers()
}

// characters refuses characters that some readers refuse or treat as line
// breaks.
func (s *source) characters() error {
	for line, text := range s.lines {
		starts := make([]int, 0, len(text))
		for at, char := range text {
			starts = append(starts, at)
			_, size := utf8.DecodeRuneInString(text[at:])
			switch {
			case char == '\t':
				return &Error{line + 1, len(starts), "tabs are not allowed"}
			case char == utf8.RuneError && size == 1:
				return &Error{line + 1, len(starts), "it is not UTF-8"}
			case unicode.IsControl(char), char == '\u2028', char == '\u2029', char == '\ufeff', char == '\ufffe', char == '\uffff':
				return &Error{line + 1, len(starts), "it contains a character that is not allowed"}
			}
		}
		if len(starts) < len(text) {
			s.starts[line+1] = starts
		}
	}
	return nil
}

// markers refuses directives and a second document.
func (s *source) markers() error {
	isFirst := true
	for line, text := range s.lines {
		word, _, _ := strings.Cut(text, " ")
		switch {
		case strings.HasPrefix(text, "%"):
			return &Error{line + 1, 1, "directives are not allowed"}
		case word == "...":
			return &Error{line + 1, 1, "`...` (the end of a document) is not allowed"}
		case word == "---" && (!isFirst || strings.TrimRight(text, " ") != "---"):
			return &Error{line + 1, 1, "`---` is allowed only once, before the document, alone on its line"}
		}
		content := strings.TrimLeft(text, " ")
		isFirst = isFirst && (content == "" || content[0] == '#')
	}
	return nil
}

// split returns the part of a node's line before the node, and the rest of the
// line.
func (s *source) split(n *yaml.Node) (before, rest string) {
	if n.Line < 1 || n.Line > len(s.lines) {
		return "", ""
	}
	line, at := s.lines[n.Line-1], n.Column-1
	if starts, ok := s.starts[n.Line]; ok && at >= 0 && at < len(starts) {
		at = starts[at]
	}
	if at < 0 || at > len(line) {
		return "", ""
	}
	return line[:at], line[at:]
}

func (s *source) from(n *yaml.Node) string {
	_, rest := s.split(n)
	return rest
}

// flowLines checks that the lines of a flow collection are indented further
// than the block key that it belongs to.
func (s *source) flowLines(n *yaml.Node, indent int) error {
	last := lastLine(n)
	for line := n.Line + 1; line <= len(s.lines); line++ {
		content := strings.TrimLeft(s.lines[line-1], " ")
		column := len(s.lines[line-1]) - len(content)
		isEnd := hasAny(content, "]}")
		switch {
		case content == "" || content[0] == '#':
		case line > last && !isEnd && content[0] != ',':
			return nil
		case column < indent || column == indent && !isEnd:
			return &Error{line, column + 1, "indent the lines of a flow collection further than its key"}
		}
	}
	return nil
}

func lastLine(n *yaml.Node) int {
	last := n.Line
	for _, item := range n.Content {
		last = max(last, lastLine(item))
	}
	return last
}

func hasAny(text, first string) bool { return text != "" && strings.IndexByte(first, text[0]) >= 0 }
