package main

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// header is what a session travels in. It is Stator's: DynamoDB passes over it, and answers without it.
const header = "X-Stator-Session"

// answersMax is how many answers a header may be of.
const answersMax = 16

// session is what one client has seen of the database: whoever shares it reads its own writes, and never something older than
// it read before, from any node. It begins anew with every process; to hand it on, hand on its text.
type session struct {
	mu sync.Mutex
	// answers are the headers of answers whose requests were under way side by side: none has seen what another has. The
	// next request goes with all of them, and its answer has seen all that.
	answers []string
}

// newSession is a session that has seen nothing yet.
func newSession() *session { return &session{answers: []string{"new"}} }

// text is the header of the next request.
func (s *session) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.answers, ",")
}

// answered puts an answer into the place of those that its request was sent with. A session with too many of them asks for
// strong reads, which show everything.
func (s *session) answered(sent, header string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := strings.Split(sent, ",")
	s.answers = slices.DeleteFunc(s.answers, func(a string) bool { return a == header || slices.Contains(old, a) })
	if s.answers = append(s.answers, header); len(s.answers) > answersMax {
		s.answers = []string{"strong"}
	}
}

// of makes a client's requests those of the session: an option of dynamodb.New, or of a single call.
func (s *session) of(o *dynamodb.Options) { o.APIOptions = append(o.APIOptions, s.attach) }

// attach sets the header before the request is signed, and reads the answer's once there is one: of a refusal, too. Every
// try that the SDK makes of a request comes by.
func (s *session) attach(stack *middleware.Stack) error {
	send := middleware.FinalizeMiddlewareFunc("StatorSessionSend", func(
		ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler,
	) (middleware.FinalizeOutput, middleware.Metadata, error) {
		if request, ok := in.Request.(*smithyhttp.Request); ok {
			request.Header.Set(header, s.text())
		}
		return next.HandleFinalize(ctx, in)
	})
	take := middleware.DeserializeMiddlewareFunc("StatorSessionTake", func(
		ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler,
	) (middleware.DeserializeOutput, middleware.Metadata, error) {
		out, metadata, err := next.HandleDeserialize(ctx, in)
		request, sent := in.Request.(*smithyhttp.Request)
		response, got := out.RawResponse.(*smithyhttp.Response)
		if sent && got && response.Header.Get(header) != "" {
			s.answered(request.Header.Get(header), response.Header.Get(header))
		}
		return out, metadata, err
	})
	if err := stack.Finalize.Insert(send, "Signing", middleware.Before); err != nil {
		return err
	}
	return stack.Deserialize.Add(take, middleware.After)
}
