package countersignredis

import (
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/countersign/countersign/hosts/go/countersign"
)

// server starts a Redis server that ends with the test.
func server(t *testing.T, options ...string) *redis.Client {
	t.Helper()
	program := os.Getenv("COUNTERSIGN_REDIS")
	if program == "" {
		found, err := exec.LookPath("redis-server")
		if err != nil {
			t.Skip("redis-server is not installed")
		}
		program = found
	}
	folder := t.TempDir()
	socket := filepath.Join(folder, "redis.sock")
	options = append([]string{"--port", "0", "--unixsocket", socket, "--dir", folder, "--save", "", "--appendonly", "no"}, options...)
	running := exec.Command(program, options...)
	running.Stdout = io.Discard
	if err := running.Start(); err != nil {
		t.Fatal(err)
	}
	client := redis.NewClient(&redis.Options{Network: "unix", Addr: socket, MaxRetries: -1})
	t.Cleanup(func() {
		_ = client.Close()
		_ = running.Process.Kill()
		_ = running.Wait()
	})
	for end := time.Now().Add(20 * time.Second); client.Ping(t.Context()).Err() != nil; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("redis-server does not answer")
		}
	}
	return client
}

func proof(id byte, expires time.Time) (proof countersign.Proof) {
	proof.ID[0], proof.Expires = id, expires
	return proof
}

func TestOfConcurrentUsesOneIsTheFirst(t *testing.T) {
	client := server(t)
	stores := []countersign.ProofStore{New(client, "a:"), New(client, "a:")}
	expires := time.Now().Add(time.Minute)
	var first, later atomic.Int64
	var all sync.WaitGroup
	for i := range 100 {
		all.Go(func() {
			isFirst, err := stores[i%2].FirstUse(t.Context(), proof(1, expires))
			switch {
			case err != nil:
				t.Error(err)
			case isFirst:
				first.Add(1)
			default:
				later.Add(1)
			}
		})
	}
	all.Wait()
	if first.Load() != 1 || later.Load() != 99 {
		t.Errorf("%d first uses, %d others", first.Load(), later.Load())
	}
	for name, use := range map[string]func() (bool, error){
		"another proof":  func() (bool, error) { return stores[0].FirstUse(t.Context(), proof(2, expires)) },
		"another prefix": func() (bool, error) { return New(client, "b:").FirstUse(t.Context(), proof(1, expires)) },
	} {
		if isFirst, err := use(); !isFirst || err != nil {
			t.Errorf("%s: %v, %v", name, isFirst, err)
		}
	}
}

func TestAnEntryIsAHashAndExpiresAfterTheProof(t *testing.T) {
	client := server(t)
	expires := time.Now().Add(30 * time.Second)
	if _, err := New(client, "a:").FirstUse(t.Context(), proof(1, expires)); err != nil {
		t.Fatal(err)
	}
	key := "a:AQ" + strings.Repeat("A", 41)
	left, err := client.PTTL(t.Context(), key).Result()
	if err != nil || left < 85*time.Second || left > 90*time.Second {
		t.Errorf("it expires in %v, %v", left, err)
	}
	if value := client.Get(t.Context(), key).Val(); value != "1" {
		t.Errorf("it is %q", value)
	}
}

func TestAStoreWithoutRoomIsAnError(t *testing.T) {
	client := server(t, "--maxmemory", "1", "--maxmemory-policy", "noeviction")
	isFirst, err := New(client, "a:").FirstUse(t.Context(), proof(1, time.Now().Add(time.Minute)))
	if isFirst || err == nil || !strings.Contains(err.Error(), "OOM") {
		t.Errorf("%v, %v", isFirst, err)
	}
}

func TestAStoreThatIsAwayIsAnError(t *testing.T) {
	away := redis.NewClient(&redis.Options{Network: "unix", Addr: filepath.Join(t.TempDir(), "none"), MaxRetries: -1})
	defer away.Close()
	if isFirst, err := New(away, "a:").FirstUse(t.Context(), proof(1, time.Now())); isFirst || err == nil {
		t.Errorf("%v, %v", isFirst, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if isFirst, err := New(server(t), "a:").FirstUse(ctx, proof(1, time.Now())); isFirst || err == nil {
		t.Errorf("%v, %v", isFirst, err)
	}
}
