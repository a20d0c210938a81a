package sigv4

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"slices"
	"strings"
	"unsafe"
)

// appendCanonical appends the canonical request: method, path, query, signed headers and the hash of the body.
func appendCanonical(dst []byte, r *Request, c *claim) []byte {
	path, _, _ := strings.Cut(r.Target, "?")
	dst = append(dst, r.Method...)
	dst = append(dst, '\n')
	dst = appendPath(dst, path)
	dst = append(dst, '\n')
	dst = appendQuery(dst, c.query)
	dst = append(dst, '\n')
	for name := range bytes.SplitSeq(c.signedHeaders, []byte(";")) {
		dst = appendHeader(dst, r.Headers, name)
	}
	dst = append(dst, '\n')
	dst = append(dst, c.signedHeaders...)
	dst = append(dst, '\n')
	sum := sha256.Sum256(r.Body)
	return hex.AppendEncode(dst, sum[:])
}

// appendPath escapes the path as it was sent once more: every service but S3 signs it so.
func appendPath(dst []byte, path string) []byte {
	if path == "" {
		return append(dst, '/')
	}
	for i := range len(path) {
		if path[i] == '/' {
			dst = append(dst, '/')
		} else {
			dst = appendEscaped(dst, path[i])
		}
	}
	return dst
}

func appendQuery(dst []byte, query url.Values) []byte {
	pairs := make([]string, 0, len(query))
	for name, values := range query {
		if name == "X-Amz-Signature" {
			continue
		}
		for _, value := range values {
			pair := append(appendEscapedString(nil, name), '=')
			pairs = append(pairs, string(appendEscapedString(pair, value)))
		}
	}
	// The names are compared on their own, as the signers do: '=' sorts after '-', so that as a whole "a-b=1" would come
	// before "a=1".
	slices.SortFunc(pairs, func(a, b string) int {
		nameA, valueA, _ := strings.Cut(a, "=")
		nameB, valueB, _ := strings.Cut(b, "=")
		if order := strings.Compare(nameA, nameB); order != 0 {
			return order
		}
		return strings.Compare(valueA, valueB)
	})
	return append(dst, strings.Join(pairs, "&")...)
}

// appendHeader appends "name:value\n", the values of a repeated header joined by commas.
func appendHeader(dst []byte, headers Headers, name []byte) []byte {
	dst = append(dst, bytes.ToLower(name)...)
	dst = append(dst, ':')
	// The string aliases the header's own bytes for the length of the look-up, which saves an allocation a header.
	for i, value := range headers.PeekAll(unsafe.String(unsafe.SliceData(name), len(name))) {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendCollapsed(dst, value)
	}
	return append(dst, '\n')
}

// appendCollapsed appends the value without spaces around it and with runs of spaces within it made one.
func appendCollapsed(dst, value []byte) []byte {
	value = bytes.TrimSpace(value)
	for i, b := range value {
		if b == ' ' && value[i-1] == ' ' {
			continue
		}
		dst = append(dst, b)
	}
	return dst
}

func appendEscapedString(dst []byte, s string) []byte {
	for i := range len(s) {
		dst = appendEscaped(dst, s[i])
	}
	return dst
}

// appendEscaped percent-encodes what RFC 3986 does not call unreserved.
func appendEscaped(dst []byte, b byte) []byte {
	const upperHex = "0123456789ABCDEF"
	switch {
	case 'a' <= b && b <= 'z', 'A' <= b && b <= 'Z', '0' <= b && b <= '9', b == '-', b == '_', b == '.', b == '~':
		return append(dst, b)
	}
	return append(dst, '%', upperHex[b>>4], upperHex[b&15])
}
