package chaos_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

const (
	diskBytes = 64 << 20
	// fillerBytes is what another program has on the same disk.
	fillerBytes = 24 << 20
	diskTable   = "things"
	largeBytes  = 30_000
	// hugeBytes fill a disk between two looks of the server at it.
	hugeBytes = 10 * largeBytes
	// putsMax is more than fits on the disk.
	putsMax = 2 * diskBytes / hugeBytes
	// putsSome fit on it, and more than its reserve.
	putsSome = 200
)

// smallDisk mounts a file system of so many bytes, which only root may do.
func smallDisk(t *testing.T, bytes int) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can mount the small file system that this test fills: run it as root, or in a container")
	}
	dir := filepath.Join(t.TempDir(), "disk")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("stator-chaos", dir, "tmpfs", 0, fmt.Sprintf("size=%d", bytes)); err != nil {
		t.Skipf("no small file system can be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Errorf("unmounting %s: %v", dir, err)
		}
	})
	return dir
}

const fillerName = "filler"

// filler takes bytes of a disk on top of what it has, all there is if bytes is negative.
func filler(t *testing.T, disk string, bytes int) {
	t.Helper()
	if err := take(disk, bytes); err != nil {
		t.Fatal(err)
	}
}

// take is filler for who has no test to fail.
func take(disk string, bytes int) error {
	f, err := os.OpenFile(filepath.Join(disk, fillerName), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	block := make([]byte, 4<<10)
	for written := 0; bytes < 0 || written < bytes; written += len(block) {
		if _, err := f.Write(block); errors.Is(err, syscall.ENOSPC) && bytes < 0 {
			return nil
		} else if err != nil {
			return err
		}
	}
	return nil
}

// empty gives back what the filler took.
func empty(t *testing.T, disk string) {
	t.Helper()
	if err := os.Remove(filepath.Join(disk, fillerName)); err != nil {
		t.Fatal(err)
	}
}

// large is an item of so many bytes.
func large(pk string, bytes int) item {
	text := make([]byte, bytes)
	for i := range text {
		text[i] = byte('a' + rand.IntN(26))
	}
	return sealed(item{"pk": str(pk), "payload": str(string(text))})
}

// onSmallDisk starts a server on a small disk of which something else has taken a part.
func onSmallDisk(t *testing.T, taken int, reserve string) (disk string, s *server, c client, l *ledger) {
	t.Helper()
	disk = smallDisk(t, diskBytes)
	filler(t, disk, taken)
	s = serve(t, filepath.Join(disk, "data"), "--disk-reserve", reserve)
	c, l = connect(s), newLedger()
	c.plainTable(diskTable)
	return disk, s, c, l
}

// putSome puts items that fit.
func (c client) putSome(l *ledger) {
	c.t.Helper()
	for n := range putsSome {
		if err := c.put(l, fmt.Sprintf("a-%d", n), largeBytes); err != nil {
			c.t.Fatal(err)
		}
	}
}

// putUntilRefused puts items until one is refused, as on a full disk it must be.
func (c client) putUntilRefused(l *ledger, prefix string) {
	c.t.Helper()
	for n := range putsMax {
		err := c.put(l, fmt.Sprintf("%s-%d", prefix, n), hugeBytes)
		switch {
		case refused(err, "InternalServerError"):
			return
		case err != nil:
			c.t.Fatalf("a put on a full disk is answered with %v, want InternalServerError", err)
		}
	}
	c.t.Fatalf("%d items of %d bytes fit on a disk of %d", putsMax, hugeBytes, diskBytes)
}

// putAgain sees that puts are served once there is room, and nothing is lost.
func (c client) putAgain(l *ledger) {
	c.t.Helper()
	c.until("puts are served again", func() bool { return c.put(l, "c-0", largeBytes) == nil })
	c.kept(l)
}

func (c client) put(l *ledger, pk string, bytes int) error {
	i := large(pk, bytes)
	l.try(pk, textOf(i))
	_, err := c.PutItem(context.Background(), &dynamodb.PutItemInput{TableName: aws.String(diskTable), Item: i})
	if err == nil {
		l.acknowledge(pk)
	}
	return err
}

func (c client) delete(l *ledger, pk string) error {
	l.try(pk, absent)
	_, err := c.DeleteItem(context.Background(), &dynamodb.DeleteItemInput{TableName: aws.String(diskTable), Key: item{"pk": str(pk)}})
	if err == nil {
		l.acknowledge(pk)
	}
	return err
}

// kept compares what is there with what was acknowledged.
func (c client) kept(l *ledger) {
	c.t.Helper()
	found := map[string]string{}
	for _, i := range c.all(diskTable, "") {
		if !whole(i) {
			c.t.Errorf("half an item: %.100s", textOf(i))
		}
		found[i["pk"].(*types.AttributeValueMemberS).Value] = textOf(i)
	}
	for _, complaint := range l.settle(found) {
		c.t.Errorf("%.300s", complaint)
	}
}

// Below the reserve, puts are refused in time; reads, deletes and the dropping of tables go on, and once there is room so do puts.
func TestDiskNearlyFull(t *testing.T) {
	disk, s, c, l := onSmallDisk(t, fillerBytes, "8MiB")
	c.plainTable("other")
	c.putUntilRefused(l, "a")
	c.until("the log says why", func() bool { return strings.Contains(s.said(), "the disk is nearly full") })
	c.kept(l)
	if err := c.delete(l, "a-0"); err != nil {
		t.Errorf("DeleteItem on a full disk: %v", err)
	}
	if _, err := c.DeleteTable(context.Background(), &dynamodb.DeleteTableInput{TableName: aws.String("other")}); err != nil {
		t.Errorf("DeleteTable on a full disk: %v", err)
	}
	c.until("the other table is gone", func() bool {
		_, err := c.DescribeTable(context.Background(), &dynamodb.DescribeTableInput{TableName: aws.String("other")})
		return refused(err, "ResourceNotFoundException")
	})
	if err := c.put(l, "b-0", largeBytes); !refused(err, "InternalServerError") {
		t.Errorf("a second put on a full disk is answered with %v, want InternalServerError", err)
	}
	empty(t, disk)
	c.putAgain(l)
	s.inspectStopped()
	s.restart()
	connect(s).kept(l)
}

// A disk that others fill to the last byte: first the reserve is given up and puts are refused; when that is taken too, the server stops with
// a sentence. Once there is room it serves again, with all that it acknowledged.
func TestDiskFull(t *testing.T) {
	disk, s, c, l := onSmallDisk(t, 0, "1MiB")
	c.putSome(l)
	filler(t, disk, -1)
	c.putUntilRefused(l, "b")
	// The server may have looked at the disk before its log met the end: there is room in the log then, which deletes do not fill.
	for !strings.Contains(s.said(), "the reserve is given up") {
		empty(t, disk)
		c.until("puts are served again", func() bool { return c.put(l, "c-0", largeBytes) == nil })
		filler(t, disk, -1)
		c.putUntilRefused(l, "b")
	}
	c.kept(l)
	for n, end := 0, time.Now().Add(settleMax); s.running() && time.Now().Before(end); n++ {
		filler(t, disk, -1)
		_ = c.delete(l, fmt.Sprintf("a-%d", n%putsSome)) // an error leaves open whether it happened, as the ledger knows
	}
	if code := s.exit(settleMax); code != 1 || !strings.Contains(s.said(), "no space left on device") {
		t.Errorf("exit %d, want 1 with a sentence about the disk", code)
	}
	t.Logf("the server's last line: %s", lastLine(s.said()))
	if code, out, err := run("serve", "--data", s.dir, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"); err != nil || code != 1 {
		t.Errorf("starting on a full disk: exit %d, %v: %s", code, err, out)
	} else {
		t.Logf("starting on a full disk: %s", lastLine(out))
	}
	empty(t, disk)
	s.restart()
	c = connect(s)
	c.kept(l)
	c.putAgain(l)
	s.inspectStopped()
}

// A disk that others fill while nothing is written: the server learns of it by looking, and does not use up its reserve to
// write out what it has in memory. Puts are refused, reads and deletes go on, and once there is room so do puts.
func TestDiskFilledByOthers(t *testing.T) {
	disk, s, c, l := onSmallDisk(t, 0, "1MiB")
	c.putSome(l)
	filler(t, disk, -1)
	c.until("the log says why", func() bool { return strings.Contains(s.said(), "the disk is nearly full") })
	c.putUntilRefused(l, "b")
	if err := c.delete(l, "a-0"); err != nil {
		t.Errorf("DeleteItem on a full disk: %v", err)
	}
	c.kept(l)
	empty(t, disk)
	c.putAgain(l)
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}
