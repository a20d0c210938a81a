package iam

import (
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"stator/internal/model/api"
	"stator/internal/model/policy"
)

// facts answers conditions about one need of one request. Most requests are asked for little of it, so that it is found out
// when it is asked for.
type facts struct {
	guard   *Guard
	request *Request
	need    *need
}

// Values implements policy.Facts.
func (f *facts) Values(k policy.Key) []string {
	switch k {
	case policy.LeadingKeys:
		return f.need.leading()
	case policy.Attributes:
		return f.need.attributes()
	case policy.Select:
		return some(f.need.items.selected)
	case policy.ReturnValues:
		return some(f.need.items.returned)
	case policy.ReturnConsumedCapacity:
		return given(f.need.items.capacity)
	case policy.EnclosingOperation:
		return some(f.need.items.enclosing)
	case policy.FullTableScan:
		return some(f.need.items.fullScan)
	case policy.TagKeys:
		return tagKeys(f.request.Input)
	default:
		return f.ofRequest(k)
	}
}

// Tags implements policy.Facts. An index has the tags of its table, a stream only its own.
func (f *facts) Tags(k policy.Key) map[string]string {
	switch {
	case k == policy.RequestTag:
		return requestTags(f.request.Input)
	case f.need.table == nil:
		return nil
	}
	return f.need.table.TagsOf(f.need.stream)
}

// requestTags are the tags that a request gives.
func requestTags(in api.Input) map[string]string {
	var sent []api.Tag
	switch in := in.(type) {
	case *api.CreateTableInput:
		sent = in.Tags
	case *api.TagResourceInput:
		sent = in.Tags
	}
	tags := map[string]string{}
	for _, tag := range sent {
		if tag.Key != nil && tag.Value != nil {
			tags[*tag.Key] = *tag.Value
		}
	}
	return tags
}

// tagKeys are the keys of the tags that a request gives or takes away.
func tagKeys(in api.Input) []string {
	if in, ok := in.(*api.UntagResourceInput); ok {
		return in.TagKeys
	}
	return slices.Collect(maps.Keys(requestTags(in)))
}

// ofRequest answers what is the same for all that a request needs.
func (f *facts) ofRequest(k policy.Key) []string {
	switch k {
	case policy.SourceIP:
		return some(address(f.request))
	case policy.SecureTransport:
		return some(strconv.FormatBool(f.request.Secure))
	case policy.CurrentTime:
		return some(f.guard.Clock.Now().UTC().Format(time.RFC3339Nano))
	case policy.EpochTime:
		return some(strconv.FormatInt(f.guard.Clock.Now().Unix(), 10))
	case policy.PrincipalARN:
		return some(f.guard.callerARN(f.request.Caller))
	case policy.PrincipalAccount:
		return some(f.guard.Account)
	case policy.PrincipalType:
		return some("User")
	case policy.Username:
		return some(f.request.Caller.Name)
	case policy.RequestedRegion:
		return some(f.guard.Region)
	case policy.ViaAWSService, policy.PrincipalIsAWSService:
		return some("false") // no service asks here on behalf of anybody
	default:
		return nil
	}
}

// address is where the request came from, "" if that is no address of the internet. A proxy that stands between is what is
// seen: what it says of whom it speaks for could be said by anybody.
func address(r *Request) string {
	if r.Remote == nil {
		return ""
	}
	from, err := netip.ParseAddrPort(r.Remote.String())
	if err != nil {
		return ""
	}
	return from.Addr().Unmap().WithZone("").String()
}

func some(value string) []string {
	if value == "" {
		return nil
	}
	return []string{value}
}

func given(value *string) []string {
	if value == nil {
		return nil
	}
	return some(*value)
}
