package ops

import (
	"context"

	"stator/internal/model/api"
)

// The quotas of an account that never asked for more (semantics §17.11). They are told to whoever asks and are not enforced: whoever runs
// this server owns its capacity.
const (
	accountUnitsMax = 80_000
	tableUnitsMax   = 40_000
)

// endpointCacheMinutes is how long clients may keep the answer of DescribeEndpoints.
const endpointCacheMinutes = 1440

// DescribeLimits tells the account's quotas.
func (o *Ops) DescribeLimits(context.Context, *api.DescribeLimitsInput) (*api.DescribeLimitsOutput, error) {
	return &api.DescribeLimitsOutput{
		AccountMaxReadCapacityUnits: ref[int64](accountUnitsMax), AccountMaxWriteCapacityUnits: ref[int64](accountUnitsMax),
		TableMaxReadCapacityUnits: ref[int64](tableUnitsMax), TableMaxWriteCapacityUnits: ref[int64](tableUnitsMax),
	}, nil
}

// endpointCacheMinutesTogether is that for servers that come and go.
const endpointCacheMinutesTogether = 1

// DescribeEndpoints answers clients that look for their endpoint: it is this server, or any of those that keep the data together.
func (o *Ops) DescribeEndpoints(context.Context, *api.DescribeEndpointsRequest) (*api.DescribeEndpointsResponse, error) {
	addresses, minutes := []string{o.account.Address}, int64(endpointCacheMinutes)
	if o.account.Addresses != nil {
		addresses, minutes = o.account.Addresses(), endpointCacheMinutesTogether
	}
	out := &api.DescribeEndpointsResponse{Endpoints: make([]api.Endpoint, len(addresses))}
	for i := range addresses {
		out.Endpoints[i] = api.Endpoint{Address: &addresses[i], CachePeriodInMinutes: &minutes}
	}
	return out, nil
}
