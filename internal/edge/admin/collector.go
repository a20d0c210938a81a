package admin

import (
	"github.com/prometheus/client_golang/prometheus"

	"stator/internal/base/metric"
	"stator/internal/model/api"
)

// Sample is one number at the moment it is asked for.
type Sample struct {
	Name    string // with the unit last, such as "stator_disk_bytes"; a counter's ends in "_total"
	Help    string
	Labels  map[string]string // every sample of a name has the same labels
	Value   float64
	Counter bool             // it only rises
	Latency *metric.Snapshot // in place of Value: durations
}

// IndexLag is how far a global index is behind its table.
type IndexLag struct {
	Table, Index string
	Changes      int64
	Bytes        int64
}

var (
	requestLabels = []string{"service", "operation"}

	duration = prometheus.NewDesc("stator_request_duration_seconds",
		"Time from a request's last byte to its answer, by operation.", requestLabels, nil)
	failures = prometheus.NewDesc("stator_request_errors_total",
		"Requests answered with an error, by operation and error type.", []string{"service", "operation", "error"}, nil)
	userErrors = prometheus.NewDesc("stator_user_errors_total",
		"Requests refused for what the client did, by operation: CloudWatch's UserErrors.", requestLabels, nil)
	received = prometheus.NewDesc("stator_request_received_bytes_total", "Bytes of requests' bodies, as sent.", requestLabels, nil)
	sent     = prometheus.NewDesc("stator_request_sent_bytes_total", "Bytes of answers' bodies, as sent.", requestLabels, nil)

	lagLabels  = []string{"table", "index"}
	lagChanges = prometheus.NewDesc("stator_index_lag_changes", "Changes that a global index has yet to take in.", lagLabels, nil)
	lagBytes   = prometheus.NewDesc("stator_index_lag_bytes", "Their size in the change log.", lagLabels, nil)
)

// collector hands the process's numbers to Prometheus when it asks. The hot paths count in types of their own, which are
// cheaper than Prometheus's.
type collector struct{ options Options }

// Describe implements prometheus.Collector: it describes nothing, since which samples there are is up to the sources.
func (collector) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (c collector) Collect(out chan<- prometheus.Metric) {
	c.collectRequests(out)
	if c.options.Samples != nil {
		for _, s := range c.options.Samples() {
			out <- s.metric()
		}
	}
	if c.options.IndexLag != nil {
		for _, lag := range c.options.IndexLag() {
			out <- prometheus.MustNewConstMetric(lagChanges, prometheus.GaugeValue, float64(lag.Changes), lag.Table, lag.Index)
			out <- prometheus.MustNewConstMetric(lagBytes, prometheus.GaugeValue, float64(lag.Bytes), lag.Table, lag.Index)
		}
	}
}

func (s *Sample) metric() prometheus.Metric {
	desc := prometheus.NewDesc(s.Name, s.Help, nil, s.Labels)
	switch {
	case s.Latency != nil:
		return prometheus.MustNewConstHistogram(desc, s.Latency.Count, s.Latency.Sum.Seconds(), s.Latency.Buckets)
	case s.Counter:
		return prometheus.MustNewConstMetric(desc, prometheus.CounterValue, s.Value)
	}
	return prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, s.Value)
}

// notTheUsers are the errors that CloudWatch does not count as UserErrors: the server's own, and those that it counts elsewhere.
var notTheUsers = map[string]bool{
	"InternalServerError": true, "InternalServiceException": true, "ConditionalCheckFailedException": true,
	"ProvisionedThroughputExceededException": true, "ThrottlingException": true, "RequestLimitExceeded": true,
}

// collectRequests leaves out operations that were never called: there are eighty.
func (c collector) collectRequests(out chan<- prometheus.Metric) {
	for target, o := range c.options.Requests.All() {
		latency := o.Latency()
		if latency.Count == 0 {
			continue
		}
		service, name := "", target
		if operation, known := api.Lookup(target); known {
			service, name = operation.Service, operation.Name
		}
		out <- prometheus.MustNewConstHistogram(duration, latency.Count, latency.Sum.Seconds(), latency.Buckets, service, name)
		in, answered := o.Bytes()
		out <- prometheus.MustNewConstMetric(received, prometheus.CounterValue, float64(in), service, name)
		out <- prometheus.MustNewConstMetric(sent, prometheus.CounterValue, float64(answered), service, name)
		users := int64(0)
		for errorType, n := range o.Errors() {
			out <- prometheus.MustNewConstMetric(failures, prometheus.CounterValue, float64(n), service, name, errorType)
			if !notTheUsers[errorType] {
				users += n
			}
		}
		out <- prometheus.MustNewConstMetric(userErrors, prometheus.CounterValue, float64(users), service, name)
	}
}
