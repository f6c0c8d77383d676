package countersign

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
)

// A Secret is the source of a value that a policy names by `secret_from`, such
// as the pepper of API keys or the password of an introspection client. It
// prints and logs without the value.
type Secret struct {
	read func() ([]byte, error)
}

// SecretBytes returns a secret with this value.
func SecretBytes(value []byte) Secret {
	value = bytes.Clone(value)
	return Secret{func() ([]byte, error) { return value, nil }}
}

// SecretFromEnv returns a secret whose value is an environment variable.
func SecretFromEnv(variable string) Secret {
	return Secret{func() ([]byte, error) {
		value, ok := os.LookupEnv(variable)
		if !ok {
			return nil, fmt.Errorf("the environment variable %s is not set", variable)
		}
		return []byte(value), nil
	}}
}

// SecretFromFile returns a secret whose value is the content of a file, without
// the line break at its end.
func SecretFromFile(path string) Secret {
	return Secret{func() ([]byte, error) {
		value, err := os.ReadFile(path)
		return bytes.TrimSuffix(bytes.TrimSuffix(value, []byte("\n")), []byte("\r")), err
	}}
}

// WithSecrets adds the secrets that policies name by `secret_from`, by these
// names. [New] and each [Gate.Reload] read all of them, so that a reload takes a
// file's new content; the error of one that cannot be read is theirs.
func WithSecrets(secrets map[string]Secret) Option {
	return func(s *settings) {
		if s.secrets == nil {
			s.secrets = map[string]Secret{}
		}
		maps.Copy(s.secrets, secrets)
	}
}

// readSecrets returns the secrets by their names. A Header prints only its name.
func (s *settings) readSecrets() (secrets []Header, err error) {
	for _, name := range slices.Sorted(maps.Keys(s.secrets)) {
		value, failed := []byte(nil), errors.New("it has no source")
		if read := s.secrets[name].read; read != nil {
			value, failed = read()
		}
		if failed != nil {
			err = errors.Join(err, fmt.Errorf("countersign: the secret %q cannot be read: %w", name, failed))
		}
		secrets = append(secrets, Header{name, string(value)})
	}
	return secrets, err
}
