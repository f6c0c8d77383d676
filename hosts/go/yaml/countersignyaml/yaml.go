// Package countersignyaml reads policies that are written as YAML.
//
// It accepts one strict subset of YAML, the same in every host of Countersign.
// It refuses a text that YAML readers understand differently (`no`, `0123`,
// `2026-01-02`, anchors, tags, merge keys, duplicate keys). The README has the
// rules. [JSON] converts a policy to JSON, which the gate then checks.
package countersignyaml

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"go.yaml.in/yaml/v4"
)

const (
	maxBytes = 16 << 20
	maxDepth = 64
)

// An Error is the reason why a text is refused, and its place.
type Error struct {
	// Line and Column start at 1; 0 means not known.
	Line, Column int
	// Message is one sentence. It contains no value of the text.
	Message string
}

func (e *Error) Error() string {
	if e.Line == 0 {
		return "countersign: the YAML is refused: " + e.Message
	}
	return fmt.Sprintf("countersign: the YAML is refused: line %d, column %d: %s", e.Line, e.Column, e.Message)
}

// JSON converts a policy to JSON, for countersign.New and Gate.Reload. If the
// text is not in the subset, the error is an [Error].
func JSON(text []byte) ([]byte, error) {
	source, err := readSource(text)
	if err != nil {
		return nil, err
	}
	var document yaml.Node
	if err := yaml.Load(source.text, &document); err != nil {
		return nil, notYAML(err)
	}
	if document.Kind != yaml.DocumentNode || len(document.Content) != 1 {
		return nil, &Error{Message: "the document is empty"}
	}
	var out bytes.Buffer
	w := writer{source: source, out: &out}
	if err := w.node(document.Content[0], place{indent: -1}); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func notYAML(err error) error {
	var fault *yaml.LoadError
	if errors.As(err, &fault) {
		return &Error{fault.Mark.Line, fault.Mark.Column, "it is not YAML: " + fault.Message}
	}
	return &Error{Message: "it is not YAML"}
}

// A writer writes a node as JSON if its text is in the subset.
type writer struct {
	source *source
	out    *bytes.Buffer
}

// A place is the place of a node: its depth, the column of the block key or item
// that it belongs to (from 0; -1 for the root), and whether it is inside a flow
// collection.
type place struct {
	depth, indent int
	isFlow        bool
}

func refuse(n *yaml.Node, message string) error { return &Error{n.Line, n.Column, message} }

func (w *writer) node(n *yaml.Node, at place) error {
	if at.depth > maxDepth {
		return refuse(n, "it is nested more than 64 levels deep")
	}
	rest := w.source.from(n)
	if n.Kind == yaml.AliasNode || n.Anchor != "" || n.Style&yaml.TaggedStyle != 0 || hasAny(rest, "&*!") {
		return refuse(n, "anchors, aliases and tags are not allowed")
	}
	switch n.Kind {
	case yaml.MappingNode, yaml.SequenceNode:
		return w.collection(n, rest, at)
	default:
		value, err := w.source.scalar(n)
		if err != nil {
			return err
		}
		return w.json(value)
	}
}

func (w *writer) collection(n *yaml.Node, rest string, at place) error {
	open, end := byte('{'), byte('}')
	if n.Kind == yaml.SequenceNode {
		open, end = '[', ']'
	}
	inside := place{depth: at.depth + 1, indent: n.Column - 1, isFlow: at.isFlow}
	if n.Style&yaml.FlowStyle != 0 || at.isFlow {
		if rest == "" || rest[0] != open {
			return refuse(n, "inside a flow collection, write a mapping in braces and a list in brackets")
		}
		inside.indent, inside.isFlow = at.indent, true
		if !at.isFlow {
			if err := w.source.flowLines(n, at.indent); err != nil {
				return err
			}
		}
	}
	w.out.WriteByte(open)
	if err := w.items(n, inside); err != nil {
		return err
	}
	w.out.WriteByte(end)
	return nil
}

func (w *writer) items(n *yaml.Node, inside place) error {
	isMapping := n.Kind == yaml.MappingNode
	seen := map[string]bool{}
	for i, item := range n.Content {
		isKey := isMapping && i%2 == 0
		switch {
		case i == 0:
		case isMapping && !isKey:
			w.out.WriteByte(':')
		default:
			w.out.WriteByte(',')
		}
		if !isKey {
			if err := w.node(item, inside); err != nil {
				return err
			}
			continue
		}
		key, err := w.source.key(item)
		if err != nil {
			return err
		}
		if seen[key] {
			return refuse(item, "this key is a duplicate in its mapping")
		}
		seen[key] = true
		if err := w.json(key); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) json(value any) error {
	encoder := json.NewEncoder(w.out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return &Error{Message: "it cannot be written as JSON"}
	}
	w.out.Truncate(w.out.Len() - 1)
	return nil
}
