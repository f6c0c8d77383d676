// Package operators tests what operators get: the dashboard, and, with the service in
// `service`, the alerts and a trial (tests/docs, hosts/cli/tests/trial).
package operators

import (
	"bytes"
	"os"
	"testing"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

func read(t *testing.T) []byte {
	t.Helper()
	plugins.RegisterDefaultPlugins()
	text, err := os.ReadFile("../../deploy/grafana/countersign.json")
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// strict returns an error for what is missing, unknown or of another type.
//
//lint:ignore SA1019 the dashboard is of the first schema, which every Grafana in use reads
func strict(text []byte) (board dashboard.Dashboard, err error) {
	err = board.UnmarshalJSONStrict(text)
	// Without any, it is an empty list, and not nil.
	if list, ok := err.(cog.BuildErrors); ok && len(list) == 0 {
		err = nil
	}
	return board, err
}

// Grafana itself comes in no package that the tests could install. These types are
// generated from its schema, with those of its panels and of queries for Prometheus.
func TestTheDashboardHasTheShapeThatGrafanaPublishes(t *testing.T) {
	board, err := strict(read(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := board.Validate(); err != nil {
		t.Fatal(err)
	}
	if len(board.Panels) == 0 {
		t.Error("no panel was read")
	}
}

func TestAWrongShapeIsFound(t *testing.T) {
	for right, wrong := range map[string]string{
		`"schemaVersion": 39`:      `"schemaVersion": "39"`,
		`"legendFormat":`:          `"legend":`,
		`"displayMode": "table"`:   `"displaymode": "table"`,
		`"includeAll": true`:       `"includeAll": "yes"`,
		`"fieldConfig":`:           `"fieldconfig":`,
		`"description": "Decision`: `"describes": "Decision`,
	} {
		text := bytes.Replace(read(t), []byte(right), []byte(wrong), 1)
		if bytes.Equal(text, read(t)) {
			t.Errorf("the dashboard has no %s", right)
		}
		if _, err := strict(text); err == nil {
			t.Errorf("%s is taken", wrong)
		}
	}
}
