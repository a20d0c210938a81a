package main

import (
	"slices"
	"strconv"

	"stator/internal/base/limiter"
	"stator/internal/edge/admin"
	"stator/internal/node"
	"stator/internal/storage/engine"
)

// samples are the numbers of the store, of the memory budget and of what goes on behind requests.
func samples(n *node.Node, budget *limiter.Budget) []admin.Sample {
	return slices.Concat(buildSamples(), storageSamples(n, budget), tableSamples(n), expirySamples(n), settledSamples(n), clusterSamples(n))
}

// buildSamples tell which release runs, so that a dashboard shows how far a rolling upgrade is.
func buildSamples() []admin.Sample {
	return []admin.Sample{{
		Name: "stator_build_info", Help: "1, labelled with the release that runs and the newest data format that it reads.",
		Labels: map[string]string{"release": release(), "format": strconv.Itoa(engine.FormatVersion)}, Value: 1,
	}}
}

// clusterSamples tell of the other nodes; there are none on a node that is alone.
func clusterSamples(n *node.Node) []admin.Sample {
	t, ok := n.Traffic()
	if !ok {
		return nil
	}
	counter := func(name, help string, value int64) admin.Sample {
		return admin.Sample{Name: name, Help: help, Value: float64(value), Counter: true}
	}
	return []admin.Sample{
		{Name: "stator_cluster_other_nodes", Help: "Other nodes of the cluster.", Value: float64(t.Others)},
		{Name: "stator_cluster_other_nodes_alive", Help: "Of these, nodes that were heard within two seconds.", Value: float64(t.Alive)},
		counter("stator_cluster_sessions_total", "Streams opened to other nodes: more than a few are lost connections.", t.Sessions),
		counter("stator_cluster_messages_dropped_total", "Messages between replicas that found no room or no connection; they are sent again.", t.Dropped),
		counter("stator_cluster_calls_refused_total", "Requests of other nodes beyond what is served at once.", t.Refused),
		counter("stator_cluster_strangers_total", "Streams opened by who is not of this cluster.", t.Strangers),
		counter("stator_cluster_old_reads_total", "Eventual reads answered here though the leader had not been heard lately.", t.OldReads),
		{Name: "stator_cluster_partitions_stuck", Help: "Partitions that came to this node and do not start; they are tried again.", Value: float64(t.Stuck)},
	}
}

// settledSamples tell of transactions whose coordinators died, or could not reach a partition.
func settledSamples(n *node.Node) []admin.Sample {
	committed, aborted := n.Settled()
	sample := func(outcome string, count int64) admin.Sample {
		return admin.Sample{
			Name: "stator_transactions_settled_total", Help: "Transactions ended, in a partition, because their coordinators had not done it.",
			Labels: map[string]string{"outcome": outcome}, Value: float64(count), Counter: true,
		}
	}
	return []admin.Sample{sample("committed", committed), sample("aborted", aborted)}
}

// expirySamples are what CloudWatch calls TimeToLiveDeletedItemCount.
func expirySamples(n *node.Node) []admin.Sample {
	var list []admin.Sample
	for _, e := range n.Expired() {
		list = append(list, admin.Sample{
			Name: "stator_time_to_live_deleted_items_total", Help: "Items deleted because their time to live ended, by table.",
			Labels: map[string]string{"table": e.Table}, Value: float64(e.Items), Counter: true,
		})
	}
	return list
}

func storageSamples(n *node.Node, budget *limiter.Budget) []admin.Sample {
	m := n.Engine().Metrics()
	gauge := func(name, help string, value int64) admin.Sample {
		return admin.Sample{Name: name, Help: help, Value: float64(value)}
	}
	counter := func(name, help string, value int64) admin.Sample {
		return admin.Sample{Name: name, Help: help, Value: float64(value), Counter: true}
	}
	low := int64(0)
	if n.Engine().Space().Low() {
		low = 1
	}
	return []admin.Sample{
		gauge("stator_memory_requests_bytes", "Memory charged for requests under way.", budget.Used()),
		gauge("stator_disk_bytes", "Bytes on disk.", m.DiskBytes),
		gauge("stator_disk_free_bytes", "Bytes free on the disk besides the reserve; -1 when unknown.", n.Engine().Space().FreeBytes()),
		gauge("stator_disk_low", "1 while writes are refused because the disk is nearly full.", low),
		gauge("stator_storage_tables_bytes", "Bytes in the store's tables.", m.TableBytes),
		gauge("stator_storage_tables", "Tables of the store.", m.Tables),
		gauge("stator_storage_tables_l0", "Of these, tables not yet compacted.", m.TablesL0),
		gauge("stator_storage_log_bytes", "Bytes in the store's log.", m.LogBytes),
		gauge("stator_storage_memtable_bytes", "Bytes in memtables.", m.MemtableBytes),
		gauge("stator_storage_cache_bytes", "Bytes in the block cache.", m.CacheBytes),
		gauge("stator_storage_read_amplification", "Tables that a read may have to look at.", int64(m.ReadAmplification)),
		gauge("stator_storage_compaction_debt_bytes", "Bytes that compactions have yet to rewrite.", m.CompactionDebtBytes),
		gauge("stator_partitions_broken", "Copies of partitions on this node that were found damaged and are out of service.", n.BrokenCopies()),
		gauge("stator_storage_corrupt_files", "Files found corrupt.", int64(m.CorruptFiles)),
		gauge("stator_storage_snapshots", "Open snapshots.", int64(m.OpenSnapshots)),
		counter("stator_storage_cache_hits_total", "Blocks found in the cache.", m.CacheHits),
		counter("stator_storage_cache_misses_total", "Blocks read from disk.", m.CacheMisses),
		gauge("stator_storage_rows_bytes", "Memory of the cache of items.", m.RowBytes),
		counter("stator_storage_row_hits_total", "Items found in the cache of items.", m.RowHits),
		counter("stator_storage_row_misses_total", "Items looked for in blocks.", m.RowMisses),
		counter("stator_storage_flushes_total", "Memtables written out.", m.Flushes),
		counter("stator_storage_compactions_total", "Compactions.", m.Compactions),
		counter("stator_storage_flushed_bytes_total", "Bytes written by flushes.", m.FlushedBytes),
		counter("stator_storage_compacted_bytes_total", "Bytes written by compactions.", m.CompactedBytes),
		counter("stator_storage_log_written_bytes_total", "Bytes written to the log.", m.LogWrittenBytes),
		{Name: "stator_storage_log_sync_seconds", Help: "Time that a sync of the log took: every write waits for one.", Latency: &m.LogSyncs},
		counter("stator_storage_stalls_total", "Times that writes had to wait for flushes or compactions.", m.Stalls),
		counter("stator_storage_compaction_failures_total", "Compactions that failed.", m.CompactionFailures),
	}
}
