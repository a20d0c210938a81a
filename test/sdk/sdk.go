// Package sdk is the AWS SDK's clients as tests want them: they try everything once. It does not know what is tested.
package sdk

import (
	"bytes"
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

const (
	connectionsMax = 64
	requestMax     = 30 * time.Second
	region         = "us-east-1"
)

// New is a client that never retries: an error is what the server said, or what became of the server.
func New(endpoint string) *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{
		Region: region, BaseEndpoint: aws.String(endpoint), Credentials: anybody, Retryer: aws.NopRetryer{}, HTTPClient: client(),
	})
}

// NewScaling is New for Application Auto Scaling.
func NewScaling(endpoint string) *applicationautoscaling.Client {
	return applicationautoscaling.New(applicationautoscaling.Options{
		Region: region, BaseEndpoint: aws.String(endpoint), Credentials: anybody, Retryer: aws.NopRetryer{}, HTTPClient: client(),
	})
}

var anybody = credentials.NewStaticCredentialsProvider("AKIDTEST", "secret", "")

func client() *http.Client {
	return &http.Client{Timeout: requestMax, Transport: inOnePiece{&http.Transport{MaxIdleConnsPerHost: connectionsMax}}}
}

// inOnePiece hands net/http the request's body as bytes. The SDK closes its own as soon as the answer begins, which may be before net/http
// has looked for its end; it then meets an error and cuts the connection under the answer.
type inOnePiece struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (o inOnePiece) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	whole := r.Clone(r.Context())
	whole.Body = io.NopCloser(bytes.NewReader(body))
	return o.next.RoundTrip(whole)
}
