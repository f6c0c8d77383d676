package countersign

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSecretsAreReadFromTheirSources(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pepper")
	if err := os.WriteFile(file, []byte("of a file\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("COUNTERSIGN_TEST_SECRET", "of a variable\n")
	value := []byte("\x00bytes")
	option := WithSecrets(map[string]Secret{
		"a": SecretBytes(value), "b": SecretFromEnv("COUNTERSIGN_TEST_SECRET"), "c": SecretFromFile(file),
	})
	value[1] = 'X'
	settings := newSettings([]Option{option, WithSecrets(map[string]Secret{"d": SecretBytes(nil)})})
	read := func() (secrets []string) {
		all, err := settings.readSecrets()
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range all {
			secrets = append(secrets, secret.Name+"="+secret.Value)
		}
		return secrets
	}
	want(t, "secrets", fmt.Sprintf("%q", read()), `["a=\x00bytes" "b=of a variable\n" "c=of a file" "d="]`)
	if err := os.WriteFile(file, []byte("two\nlines\n\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	want(t, "later", fmt.Sprintf("%q", read()[2]), `"c=two\nlines\n"`)
}

func TestASecretThatCannotBeReadIsAnErrorOfNew(t *testing.T) {
	_, err := New(t.Context(), []byte("{}"), WithSecrets(map[string]Secret{
		"pepper": SecretFromEnv("COUNTERSIGN_NOT_SET"), "client": SecretFromFile("/does/not/exist"), "none": {}, "good": SecretBytes([]byte("hunter2")),
	}))
	for _, part := range []string{
		`"pepper" cannot be read: the environment variable COUNTERSIGN_NOT_SET is not set`, `"client" cannot be read: open /does/not/exist`, `"none" cannot be read`,
	} {
		want(t, fmt.Sprint(err), strings.Contains(fmt.Sprint(err), part), true)
	}
	want(t, "the good one", strings.Contains(fmt.Sprint(err), "hunter2"), false)
}

func TestASecretIsNeverPrinted(t *testing.T) {
	secret := SecretBytes([]byte("hunter2"))
	secrets := map[string]Secret{"pepper": secret}
	settings := newSettings([]Option{WithSecrets(secrets)})
	read, err := settings.readSecrets()
	if err != nil {
		t.Fatal(err)
	}
	fetch := Fetch{Issuer: "x", Kind: KindAPIKeys, URI: "https://a?hunter2", Headers: []Header{{"authorization", "hunter2"}}}
	instance, err := OpenInstance(t.Context(), []byte(text(policyOf(object{
		"name": "x", "issuer": "https://a", "audiences": []string{"a"}, "algorithms": []string{"RS256"}, "keys": object{"jwks_uri": "https://a/jwks"},
	}))), WithSecrets(secrets))
	if err != nil {
		t.Fatal(err)
	}
	defer instance.Close()
	var log lockedBuffer
	for _, thing := range []any{secret, &secret, secrets, settings, *settings, read, fetch, &fetch, []Fetch{fetch}, instance, Answer{Wait: []Fetch{fetch}}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			fmt.Fprintf(&log, verb+"\n", thing)
		}
		slog.New(slog.NewTextHandler(&log, nil)).Info("careless", "thing", thing)
	}
	_ = json.NewEncoder(&log).Encode(secrets)
	for _, text := range []string{"hunter2", fmt.Sprintf("%x", "hunter2"), "104 117 110"} {
		want(t, text+" in "+log.String(), strings.Contains(log.String(), text), false)
	}
	want(t, "something is printed", strings.Contains(log.String(), "countersign.Secret{}"), true)
}
