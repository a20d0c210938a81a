package engine

import "testing"

// FuzzParseFormat: no text of a FORMAT file makes its reader panic or find a version below the first; what was written is
// read back.
func FuzzParseFormat(f *testing.F) {
	for _, seed := range []string{formatText(2, "stator v1"), "format: 1", "format: 0\n", "format: 99999999999999999999", "", "format: 2\ncreator: \x00\n\ncreator: b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		version, creator, ok := parseFormat(text)
		if ok != (version > 0) {
			t.Errorf("%q is version %d of %q, %t", text, version, creator, ok)
		}
	})
}
