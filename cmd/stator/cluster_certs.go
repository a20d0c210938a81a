package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"stator/internal/cluster/rpc"
)

type certsCommand struct {
	Dir  string   `arg:"" help:"Where they go; made if it is not there."`
	Node []string `required:"" placeholder:"NAME[,HOST...]" help:"The node's name, that of its files, and the hosts by which other nodes reach it. Without a host the name is one."`
}

// Help shows examples.
func (certsCommand) Help() string {
	return `The first call also makes the cluster's authority: ca.crt, and ca.key, which signs the certificates of nodes and belongs
where no node runs. A node needs ca.crt and its own two files. A node's certificate is good for two years.
Nothing is ever overwritten: to renew a certificate, move the old one away.

Example:

    stator cluster certs ./certs --node n1,10.0.0.1,db1.example
    stator serve --rpc 10.0.0.1:7000 --cluster-init --cluster-tls-ca ./certs/ca.crt \
        --cluster-tls-cert ./certs/n1.crt --cluster-tls-key ./certs/n1.key`
}

var (
	nodeNameExpression = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$`)
	hostExpression     = regexp.MustCompile(`^[A-Za-z0-9:][A-Za-z0-9_.:-]{0,252}$`)
)

// authorityName is what the authority's files are called: no node's may be.
const authorityName = "ca"

// Run makes the authority if there is none, and a node's certificate.
func (c *certsCommand) Run(s streams) error {
	if len(c.Node) == 0 {
		return errors.New("--node is empty: name the node, like n1")
	}
	name, hosts := c.Node[0], c.Node[1:]
	if !nodeNameExpression.MatchString(name) || name == authorityName {
		return fmt.Errorf("%q is no name for a node: it names files, like n1", name)
	}
	if len(hosts) == 0 {
		hosts = []string{name}
	}
	for _, host := range hosts {
		if !hostExpression.MatchString(host) {
			return fmt.Errorf("%q is no host: give a name or an address, without a port", host)
		}
	}
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return fmt.Errorf("cannot make the directory: %w", err)
	}
	for _, file := range certificateFiles(c.Dir, name) {
		if _, err := os.Lstat(file); !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s is there already, and nothing is overwritten: move it away to make another", file)
		}
	}
	now := time.Now()
	authority, err := c.authority(s, now)
	if err != nil {
		return err
	}
	pair, err := authority.NewCertificate(now, name, hosts...)
	if err != nil {
		return err
	}
	return writePair(s, c.Dir, name, pair)
}

// authority reads the cluster's, or makes it.
func (c *certsCommand) authority(s streams, now time.Time) (rpc.Pair, error) {
	files := certificateFiles(c.Dir, authorityName)
	certificate, missing := os.ReadFile(files[0])
	key, keyMissing := os.ReadFile(files[1])
	switch {
	case missing == nil && keyMissing == nil:
		return rpc.Pair{Certificate: certificate, Key: key}, nil
	case errors.Is(missing, fs.ErrNotExist) && errors.Is(keyMissing, fs.ErrNotExist):
	default:
		return rpc.Pair{}, fmt.Errorf("the authority cannot be read: %w", errors.Join(missing, keyMissing))
	}
	authority, err := rpc.NewAuthority(now)
	if err != nil {
		return rpc.Pair{}, err
	}
	return authority, writePair(s, c.Dir, authorityName, authority)
}

// certificateFiles are the certificate's and the key's.
func certificateFiles(dir, name string) [2]string {
	return [2]string{filepath.Join(dir, name+".crt"), filepath.Join(dir, name+".key")}
}

// writePair writes the key first: a certificate without it would be in the way of another try, and of no use.
func writePair(s streams, dir, name string, pair rpc.Pair) error {
	files := certificateFiles(dir, name)
	if err := writeNew(files[1], pair.Key, 0o600); err != nil {
		return err
	}
	if err := writeNew(files[0], pair.Certificate, 0o644); err != nil {
		return errors.Join(err, os.Remove(files[1]))
	}
	fmt.Fprintf(s.Out, "%s\n%s\n", files[0], files[1])
	return nil
}

// writeNew makes a file; one that is there is an error.
func writeNew(path string, content []byte, mode fs.FileMode) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return fmt.Errorf("cannot make a file: %w", err)
	}
	_, err = file.Write(content)
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return errors.Join(fmt.Errorf("cannot write %s: %w", path, err), os.Remove(path))
	}
	return nil
}
