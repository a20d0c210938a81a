package token_test

import (
	"encoding/hex"
	"testing"

	"stator/internal/model/token"
)

// Items are stored under their token, so these literals may never change.
func TestOfIsMD5(t *testing.T) {
	for key, want := range map[string]string{
		"":      "d41d8cd98f00b204e9800998ecf8427e",
		"a":     "0cc175b9c0f1b6a831c399e269772661",
		"abc":   "900150983cd24fb0d6963f7d28e17f72",
		"\x00a": "760f753576f2955b0074758acb4d5fa6",
	} {
		got := token.Of([]byte(key))
		if hex.EncodeToString(got[:]) != want {
			t.Errorf("Of(%q) = %x, want %s", key, got, want)
		}
	}
}
