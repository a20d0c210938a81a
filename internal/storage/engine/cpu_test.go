package engine_test
import ("testing";"golang.org/x/sys/unix";"runtime";"math/rand/v2";"fmt")
func cpu() int64 { var r unix.Rusage; unix.Getrusage(unix.RUSAGE_THREAD,&r); return r.Utime.Nano()+r.Stime.Nano() }
func BenchmarkCPU(b *testing.B) {
	e := filled(b)
	runtime.LockOSThread()
	random := rand.New(rand.NewPCG(2, 2))
	var key, value []byte
	for range 2*benchItems { key = benchKey(key, random.IntN(benchItems)); value, _, _ = e.Get(key, value) }
	for range 3 {
	const n=100000
	t:=cpu(); m:=e.Metrics().CacheMisses
	for range n { key = benchKey(key, random.IntN(benchItems)); value, _, _ = e.Get(key, value) }
	hit:=cpu()-t; m=e.Metrics().CacheMisses-m
	t=cpu()
	for range n { key = benchKey(key, benchItems+random.IntN(benchItems)); value, _, _ = e.Get(key, value) }
	miss:=cpu()-t
	fmt.Printf("hit %d ns miss %d ns misses/op %.2f ra %d\n", hit/n, miss/n, float64(m)/n, e.Metrics().ReadAmplification)
	}
}
