package ops

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"

	"stator/internal/model/attr"
)

// A NextToken is a version, a digest of the statement with its parameters, which of its stretches is being read, and the key of the last item looked at.
// It is not signed: what it says is checked as an ExclusiveStartKey is, and says no more than one could.
const (
	tokenVersion     = 1
	tokenDigestBytes = 16
)

// The two refusals of a NextToken: one that is none, and one of another statement or other parameters.
const (
	invalidToken = "Invalid NextToken"
	foreignToken = "NextToken does not match request"
)

// position is how far a statement has been read.
type position struct {
	stretch int
	start   attr.Map // absent at the beginning
}

// tokenDigest tells one statement with its parameters from another.
func tokenDigest(text string, parameters []attr.Value) []byte {
	hash := sha256.New()
	// Every part is preceded by its length, so that no two lists of parts are the same bytes.
	part := func(b []byte) {
		hash.Write(binary.AppendUvarint(nil, uint64(len(b))))
		hash.Write(b)
	}
	part([]byte(text))
	for _, p := range parameters {
		part(p)
	}
	return hash.Sum(nil)[:tokenDigestBytes]
}

func (p position) token(digest []byte) *string {
	b := append([]byte{tokenVersion}, digest...)
	b = binary.AppendUvarint(b, uint64(p.stretch))
	token := base64.StdEncoding.EncodeToString(append(b, p.start...))
	return &token
}

// readToken gives the position that a token is of; an absent one is the beginning.
func readToken(token *string, digest []byte) (position, error) {
	if token == nil {
		return position{}, nil
	}
	b, err := base64.StdEncoding.DecodeString(*token)
	if err != nil || len(b) <= 1+tokenDigestBytes || b[0] != tokenVersion {
		return position{}, bare.refuse(invalidToken)
	}
	if string(b[1:1+tokenDigestBytes]) != string(digest) {
		return position{}, bare.refuse(foreignToken)
	}
	b = b[1+tokenDigestBytes:]
	stretch, n := binary.Uvarint(b)
	if n <= 0 || stretch > stretchesMax || attr.CheckMap(b[n:]) != nil {
		return position{}, bare.refuse(invalidToken)
	}
	return position{stretch: int(stretch), start: attr.Map(b[n:])}, nil
}

// stretchesMax is more than one statement has.
const stretchesMax = 1 << 10
