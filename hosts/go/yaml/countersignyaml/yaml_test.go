package countersignyaml

import (
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"
)

// The cases that every host reads as the same JSON, or refuses.
const cases = "../../../../tests/yaml/cases.json"

func TestEveryTextIsReadAsItsJSONOrRefused(t *testing.T) {
	file, err := os.ReadFile(cases)
	if err != nil {
		t.Fatal(err)
	}
	var all []struct {
		ID, YAML, Refused string
		Line              int
		JSON              json.RawMessage
	}
	if err := json.Unmarshal(file, &all); err != nil {
		t.Fatal(err)
	}
	if len(all) < 200 {
		t.Fatalf("%d cases", len(all))
	}
	for _, test := range all {
		t.Run(test.ID, func(t *testing.T) {
			got, err := JSON([]byte(test.YAML))
			var refused *Error
			switch {
			case test.Refused == "" && err != nil:
				t.Fatalf("refused: %v", err)
			case test.Refused == "":
				if !reflect.DeepEqual(value(t, got), value(t, test.JSON)) {
					t.Errorf("got %s, want %s", got, test.JSON)
				}
			case err == nil:
				t.Errorf("accepted as %s, but: %s", got, test.Refused)
			case !errors.As(err, &refused):
				t.Errorf("%v is no Error", err)
			case test.Line != 0 && refused.Line != test.Line:
				t.Errorf("%v, not in line %d", err, test.Line)
			}
		})
	}
}

func value(t *testing.T, text []byte) (value any) {
	t.Helper()
	if err := json.Unmarshal(text, &value); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return value
}

func TestAnErrorHasThePlaceAndNoValue(t *testing.T) {
	_, err := JSON([]byte("a: 1\nsecret: !!str hunter2\n"))
	if err == nil || !strings.Contains(err.Error(), "line 2, column 9") || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("%v", err)
	}
	if _, err := JSON(make([]byte, maxBytes+1)); err == nil {
		t.Error("a huge text was read")
	}
	if _, err := JSON([]byte("a: \xff\n")); err == nil {
		t.Error("a text that is not UTF-8 was read")
	}
}

func TestNumbersStayAsTheyAreWritten(t *testing.T) {
	got, err := JSON([]byte("a: 12345678901234567890.10\n"))
	if err != nil || string(got) != `{"a":12345678901234567890.10}` {
		t.Errorf("%s, %v", got, err)
	}
}

func TestAPolicyOnOneLineIsReadInTime(t *testing.T) {
	began := time.Now()
	for _, item := range []string{`{"path":"/a","public":true}`, `{"path":"/ä","public":true}`} {
		text := "[" + strings.Repeat(item+",", 10_000) + item + "]"
		if got, err := JSON([]byte(text)); err != nil || string(got) != text {
			t.Fatalf("%d bytes, %v", len(got), err)
		}
	}
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("it took %v", took)
	}
}
