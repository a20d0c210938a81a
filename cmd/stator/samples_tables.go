package main

import (
	"sync/atomic"

	"stator/internal/base/metric"
	"stator/internal/edge/admin"
	"stator/internal/model/capacity"
	"stator/internal/node"
	"stator/internal/ops"
)

// tableSamples are CloudWatch's metrics of tables and their indexes; docs/operations.md has them side by side.
func tableSamples(n *node.Node) []admin.Sample {
	var list []admin.Sample
	for name, counts := range n.Requests() {
		list = append(list, requestSamples(name, counts)...)
	}
	list = append(list, accountSamples(n.AccountUse())...)
	for _, m := range n.Metered() {
		list = append(list, provisionedSamples(&m)...)
		list = append(list, onDemandSamples(&m)...)
		if n.Counts() {
			list = append(list, consumedSamples(&m)...)
		}
	}
	for _, f := range n.IndexFills() {
		list = append(list, admin.Sample{
			Name: "stator_online_index_percentage_progress", Help: "How far a new global index is filled from the partitions that this node leads.",
			Labels: map[string]string{"table": f.Table, "index": f.Index}, Value: f.Percent,
		})
		if n.Counts() {
			list = append(list, admin.Sample{
				Name: "stator_online_index_consumed_write_capacity_total", Help: "Write units that filling a new global index from this node consumed.",
				Labels: map[string]string{"table": f.Table, "index": f.Index}, Value: f.Units, Counter: true,
			})
		}
	}
	return list
}

// requestSamples are what came of the requests to a table.
func requestSamples(name string, counts *metric.Table) []admin.Sample {
	counter := func(name, help string, labels map[string]string, count *atomic.Int64) admin.Sample {
		return admin.Sample{Name: name, Help: help, Labels: labels, Value: float64(count.Load()), Counter: true}
	}
	own := map[string]string{"table": name}
	list := []admin.Sample{
		counter("stator_conditional_check_failed_requests_total", "Writes whose condition did not hold.", own, &counts.ConditionsFailed),
		counter("stator_transaction_conflict_total", "Items that a request was refused for because a transaction had them.", own, &counts.Conflicts),
	}
	for number, served := range counts.Asked() {
		operation := ops.Counted[number]
		labels := map[string]string{"table": name, "operation": operation}
		latency := served.Latency.Snapshot()
		list = append(list,
			admin.Sample{
				Name: "stator_successful_request_latency_seconds", Help: "Time that the operation took, its request decoded and its answer not yet encoded.",
				Labels: labels, Latency: &latency,
			},
			counter("stator_throttled_requests_total", "Requests that were throttled as a whole.", labels, &served.Throttled),
			counter("stator_system_errors_total", "Requests answered with InternalServerError.", labels, &served.Faults),
		)
		switch operation {
		case "Query", "Scan", "ExecuteStatement":
			list = append(list, counter("stator_returned_item_count_total", "Items in the answers.", labels, &served.Returned))
		case "GetRecords":
			list = append(list,
				counter("stator_returned_records_count_total", "Records of streams in the answers.", labels, &served.Returned),
				counter("stator_returned_bytes_total", "Their bytes.", labels, &served.Bytes))
		}
	}
	return list
}

// accountSamples are the account's quotas, and how much of them tables are provisioned with.
func accountSamples(use node.AccountUse) []admin.Sample {
	var list []admin.Sample
	for kind, name := range unitNames {
		list = append(list,
			admin.Sample{Name: "stator_account_max_" + name + "s", Help: "Units a second that all tables may be provisioned with.", Value: capacity.AccountUnitsMax},
			admin.Sample{Name: "stator_account_max_table_level_" + name + "s", Help: "Units a second that a table may have.", Value: capacity.TableUnitsMax},
			admin.Sample{
				Name: "stator_account_provisioned_" + name + "_capacity_utilization", Help: "How much of the account's units tables are provisioned with, in percent.",
				Value: use.All[kind],
			},
			admin.Sample{
				Name: "stator_max_provisioned_table_" + name + "_capacity_utilization", Help: "How much of a table's units the one that has most is provisioned with, in percent.",
				Value: use.Most[kind],
			})
	}
	return list
}

func onDemandSamples(m *node.Metered) []admin.Sample {
	var list []admin.Sample
	for kind, most := range [capacity.Kinds]int64{capacity.Reads: m.OnDemandMax.Read, capacity.Writes: m.OnDemandMax.Write} {
		if most > 0 {
			list = append(list, admin.Sample{
				Name: "stator_on_demand_max_" + unitNames[kind] + "_request_units", Help: "Units a second that an on-demand table or index is bounded to.",
				Labels: map[string]string{"table": m.Table, "index": m.Index}, Value: float64(most),
			})
		}
	}
	return list
}

func provisionedSamples(m *node.Metered) []admin.Sample {
	if m.Provisioned.Read == 0 {
		return nil
	}
	labels := map[string]string{"table": m.Table, "index": m.Index}
	return []admin.Sample{
		{Name: "stator_provisioned_read_capacity_units", Help: "Read units a second that are provisioned.", Labels: labels, Value: float64(m.Provisioned.Read)},
		{Name: "stator_provisioned_write_capacity_units", Help: "Write units a second that are provisioned.", Labels: labels, Value: float64(m.Provisioned.Write)},
	}
}

// unitNames are how the kinds of units are called in the names of metrics.
var unitNames = [capacity.Kinds]string{"read", "write"}

// consumedSamples are what requests consumed, and what was refused them, by the limit that did.
func consumedSamples(m *node.Metered) []admin.Sample {
	var list []admin.Sample
	for kind, name := range unitNames {
		list = append(list, admin.Sample{
			Name: "stator_consumed_" + name + "_capacity_units_total", Help: "Units consumed by requests to this node, to the second.",
			Labels: map[string]string{"table": m.Table, "index": m.Index}, Value: m.Total.Consumed[kind], Counter: true,
		})
		for limit, refused := range m.Total.Refused[kind] {
			if capacity.Limit(limit) == capacity.Unlimited {
				continue
			}
			list = append(list, admin.Sample{
				Name: "stator_" + name + "_throttle_events_total", Help: "Parts of requests beyond a limit; with --capacity report they were served all the same.",
				Labels: map[string]string{"table": m.Table, "index": m.Index, "limit": capacity.Limit(limit).String()}, Value: float64(refused), Counter: true,
			})
		}
	}
	return list
}
