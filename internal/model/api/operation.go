package api

// Operation is what the doors know of an operation: how it is addressed, signed and answered.
type Operation struct {
	// Service is "dynamodb", "dynamodb-streams" or "application-autoscaling".
	Service string
	// Name is the operation's name in its service, for example "PutItem".
	Name string
	// Target is the value of the X-Amz-Target header.
	Target string
	// Signing is the service name in the signature's credential scope, and the prefix of IAM actions.
	Signing string
	// ContentType is the content type of the service's answers.
	ContentType string
	// ReadOnly tells that the operation changes nothing.
	ReadOnly bool
	// Idempotent tells that the operation may be repeated: it reads only, or carries a client token.
	Idempotent bool
}
