package node

import (
	"context"
	"log/slog"

	"stator/internal/base/limiter"
)

// complain logs a trouble, unless that was done lately. Troubles are not kept by node or partition: who sends what is no message may
// give itself any number.
func (n *Node) complain(s *limiter.Seldom, level slog.Level, text string, args ...any) {
	if told, untold := s.May(n.steady()); told {
		n.options.Log.Log(context.Background(), level, text, append(args, "untold_before", untold)...)
	}
}
