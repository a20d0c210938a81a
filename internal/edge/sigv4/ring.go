package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"maps"
	"strings"
	"sync"
	"sync/atomic"
)

// signingKeysMax bounds the cache of derived keys. Each access key has one for every day and service it is used on;
// when the bound is reached all are forgotten, which costs four hashes each to mend.
const signingKeysMax = 1024

// Ring holds the secrets by access key id, and the signing keys derived from them. It is safe for concurrent use.
type Ring struct {
	mu      sync.Mutex // serializes writers of current
	current atomic.Pointer[ringState]
}

// ringState is immutable: a reader needs no lock, a writer replaces it whole.
type ringState struct {
	credentials map[string]*Credential // by access key id
	keys        map[string]*signingKey // credential with its scope → derived key
}

// signingKey keeps MACs that have absorbed the key, ready to be reset and used.
type signingKey struct {
	caller *Caller
	macs   sync.Pool // hash.Hash
}

// NewRing returns a ring of the given credentials.
func NewRing(credentials []Credential) *Ring {
	r := &Ring{}
	r.Replace(credentials)
	return r
}

// Replace exchanges all credentials at once; signing keys of the old ones are forgotten.
func (r *Ring) Replace(credentials []Credential) {
	byID := make(map[string]*Credential, len(credentials))
	for _, c := range credentials {
		byID[c.AccessKeyID] = &c
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.current.Store(&ringState{credentials: byID})
}

// signingKey finds the key of a credential ("id/date/region/service/aws4_request"); nil when the id is unknown. The
// scope must have been checked before: what is asked for here is remembered.
func (r *Ring) signingKey(credential []byte) *signingKey {
	state := r.current.Load()
	if key, ok := state.keys[string(credential)]; ok {
		return key
	}
	parts := strings.Split(string(credential), "/")
	c, ok := state.credentials[parts[0]]
	if !ok {
		return nil
	}
	key := deriveKey(c.SecretAccessKey, parts[1:])
	key.caller = &c.Caller
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.current.Load() != state {
		return key // the ring changed meanwhile; the next request will cache it
	}
	keys := maps.Clone(state.keys)
	if keys == nil || len(keys) >= signingKeysMax {
		keys = map[string]*signingKey{}
	}
	keys[string(credential)] = key
	r.current.Store(&ringState{credentials: state.credentials, keys: keys})
	return key
}

func deriveKey(secret string, scope []string) *signingKey {
	derived := []byte("AWS4" + secret)
	for _, part := range scope {
		mac := hmac.New(sha256.New, derived)
		mac.Write([]byte(part))
		derived = mac.Sum(nil)
	}
	key := &signingKey{}
	key.macs.New = func() any { return hmac.New(sha256.New, derived) }
	return key
}
