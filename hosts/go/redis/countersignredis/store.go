// Package countersignredis records used proofs of possession (DPoP) in Redis, so
// that all replicas of a service share them.
package countersignredis

import (
	"context"
	"encoding/base64"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/countersign/countersign/hosts/go/countersign"
)

// How much longer than needed an entry is kept, in case the clock of Redis is
// ahead of the gate's.
const margin = time.Minute

// New returns a store for [countersign.WithProofStore]. The keys of its entries
// begin with the prefix: replicas of one service use the same.
func New(client redis.UniversalClient, prefix string) countersign.ProofStore {
	return &store{client, prefix}
}

type store struct {
	client redis.UniversalClient
	prefix string
}

// FirstUse implements [countersign.ProofStore]: `SET prefix+id 1 NX PXAT time`.
// An entry is a hash; nothing of a token or a proof is stored.
func (s *store) FirstUse(ctx context.Context, proof countersign.Proof) (bool, error) {
	key := s.prefix + base64.RawURLEncoding.EncodeToString(proof.ID[:])
	expires := proof.Expires.Add(margin).UnixMilli()
	err := s.client.Do(ctx, "SET", key, 1, "NX", "PXAT", expires).Err()
	if errors.Is(err, redis.Nil) {
		return false, nil
	}
	return err == nil, err
}
