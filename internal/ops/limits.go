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

// DescribeEndpoints answers clients that look for their endpoint: it is this server.
func (o *Ops) DescribeEndpoints(context.Context, *api.DescribeEndpointsRequest) (*api.DescribeEndpointsResponse, error) {
	return &api.DescribeEndpointsResponse{
		Endpoints: []api.Endpoint{{Address: &o.account.Address, CachePeriodInMinutes: ref[int64](endpointCacheMinutes)}},
	}, nil
}
