package countersign

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
)

// versionState is the content of a state file.
type versionState struct {
	Version *uint64 `json:"version"`
}

// readVersion returns 0 if there is no file yet. A file that says no version is an
// error, so that nobody brings an old policy back by damaging it.
func readVersion(path string) (uint64, error) {
	if path == "" {
		return 0, nil
	}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, unusableState(err)
	}
	var state versionState
	if err := json.Unmarshal(text, &state); err != nil {
		return 0, unusableState(err)
	}
	if state.Version == nil {
		return 0, unusableState(errors.New("it says no version"))
	}
	return *state.Version, nil
}

func unusableState(reason error) error {
	return problemOf("state_file_unusable", "the state file cannot be used: "+reason.Error())
}

// writeVersion replaces the state file in one step, so that a crash leaves the
// old or the new one.
func writeVersion(path string, version uint64) error {
	if path == "" {
		return nil
	}
	if err := replaceState(path, version); err != nil {
		return unusableState(err)
	}
	return nil
}

func replaceState(path string, version uint64) error {
	folder := filepath.Dir(path)
	file, err := os.CreateTemp(folder, filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	_, err = file.WriteString(`{"version":` + strconv.FormatUint(version, 10) + "}\n")
	err = errors.Join(err, file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	// The new name has to last too. Some systems cannot sync a folder.
	if folder, err := os.Open(folder); err == nil {
		_ = folder.Sync()
		_ = folder.Close()
	}
	return nil
}

// trustFrom returns a trust that refuses lower versions than this one.
func trustFrom(trust []byte, version uint64) []byte {
	var members map[string]json.RawMessage
	if version == 0 || json.Unmarshal(trust, &members) != nil || members == nil {
		// What cannot be read the module refuses.
		return trust
	}
	var given uint64
	if text, ok := members["min_version"]; ok && json.Unmarshal(text, &given) != nil {
		return trust
	}
	members["min_version"] = json.RawMessage(strconv.FormatUint(max(given, version), 10))
	raised, err := json.Marshal(members)
	if err != nil {
		return trust
	}
	return raised
}
