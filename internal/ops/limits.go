package ops

import (
	"context"

	"stator/internal/model/api"
	"stator/internal/model/capacity"
)

// endpointCacheMinutes is how long clients may keep the answer of DescribeEndpoints.
const endpointCacheMinutes = 1440

// DescribeLimits tells the account's quotas.
func (o *Ops) DescribeLimits(context.Context, *api.DescribeLimitsInput) (*api.DescribeLimitsOutput, error) {
	return &api.DescribeLimitsOutput{
		AccountMaxReadCapacityUnits: ref[int64](capacity.AccountUnitsMax), AccountMaxWriteCapacityUnits: ref[int64](capacity.AccountUnitsMax),
		TableMaxReadCapacityUnits: ref[int64](capacity.TableUnitsMax), TableMaxWriteCapacityUnits: ref[int64](capacity.TableUnitsMax),
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
