// Package token is the place of a partition key on the ring. It does not know how a key was encoded.
package token

import "crypto/md5"

// Size is the length of a Token in bytes.
const Size = md5.Size

// Token is the MD5 of an encoded partition key: 128 bits whose byte order spreads items evenly over partitions. MD5 is
// asked for its spread alone, never for secrecy, and every item on disk is addressed by it: it cannot be exchanged.
type Token [Size]byte

// Of returns the token of the encoded partition key pk.
func Of(pk []byte) Token { return md5.Sum(pk) }
