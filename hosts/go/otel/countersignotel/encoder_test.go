package countersignotel

import (
	"strings"

	"go.opentelemetry.io/otel/attribute"
)

// An encoder writes attributes as `name=value,…`.
type encoder struct{}

var encoderID = attribute.NewEncoderID()

func (encoder) ID() attribute.EncoderID { return encoderID }

func (encoder) Encode(attributes attribute.Iterator) string {
	var parts []string
	for attributes.Next() {
		a := attributes.Attribute()
		parts = append(parts, string(a.Key)+"="+a.Value.String())
	}
	return strings.Join(parts, ",")
}
