package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"

	"stator/internal/cluster/rpc"
	"stator/internal/node"
)

// clusterFlags make a node one of many.
type clusterFlags struct {
	RPC            string        `name:"rpc" placeholder:"ADDR" help:"Where other nodes of a cluster reach this one. Without it the node is alone."`
	RPCListen      string        `name:"rpc-listen" placeholder:"ADDR" help:"Where the node listens for them, if that is elsewhere: behind a port mapping or a proxy."`
	ClusterInit    bool          `help:"Make a cluster of one node out of what --data holds, in place. This is never undone."`
	Join           []string      `placeholder:"ADDR" help:"Join the cluster of the node at ADDR, with an empty --data. Later starts may say so again."`
	Zone           string        `placeholder:"NAME" help:"What the node shares with others that may fail with it: copies are kept in different zones."`
	Replicas       int           `default:"3" help:"With --cluster-init: how many copies of everything the cluster keeps (${default})."`
	RequestTimeout time.Duration `default:"5s" help:"How long a request may look for nodes that answer it (${default})."`
	TLSCert        string        `name:"cluster-tls-cert" placeholder:"FILE" help:"What the node shows to other nodes (PEM), made by 'stator cluster certs'."`
	TLSKey         string        `name:"cluster-tls-key" placeholder:"FILE" help:"Its key."`
	TLSCA          string        `name:"cluster-tls-ca" placeholder:"FILE" help:"The cluster's authority, which signed the certificates of all nodes."`
}

const (
	replicasMax          = 7
	requestTimeoutMin    = 100 * time.Millisecond
	requestTimeoutMax    = time.Minute
	zoneBytesMax         = 64
	certificatesTogether = "--cluster-tls-cert, --cluster-tls-key and --cluster-tls-ca go together: make the files with 'stator cluster certs'"
)

// checkCluster refuses what would not be a cluster, or one that others can look into.
func (c *serveCommand) checkCluster() error {
	f := &c.Cluster
	certificates := f.TLSCert != "" || f.TLSKey != "" || f.TLSCA != ""
	if f.RPC == "" {
		if f.RPCListen != "" || f.ClusterInit || len(f.Join) > 0 || f.Zone != "" || certificates {
			return errors.New("a node of a cluster needs --rpc ADDR, where other nodes reach it")
		}
		return nil
	}
	if _, err := loopback("--rpc", f.RPC); err != nil {
		return err
	}
	flag, at := f.listenAt()
	local, err := loopback(flag, at)
	if err != nil {
		return err
	}
	for _, address := range f.Join {
		if _, err := loopback("--join", address); err != nil {
			return err
		}
	}
	host, _, _ := net.SplitHostPort(f.RPC)
	switch ip := net.ParseIP(host); {
	case host == "" || ip != nil && ip.IsUnspecified():
		return fmt.Errorf("--rpc %s is no address by which other nodes reach this one: give the host's own", f.RPC)
	case f.ClusterInit && len(f.Join) > 0:
		return errors.New("--cluster-init makes a new cluster and --join goes to one that is there: give one of them")
	case c.InMemory:
		return errors.New("a node of a cluster has promised others what it wrote: --in-memory is for a node that is alone")
	case c.Durability != "synced":
		return errors.New("a node of a cluster has promised others what it wrote: --durability relaxed is for a node that is alone")
	case f.Replicas < 1 || f.Replicas > replicasMax || f.Replicas%2 == 0:
		return errors.New("--replicas is 1, 3, 5 or 7: an even number survives no more losses than one fewer")
	case f.RequestTimeout < requestTimeoutMin || f.RequestTimeout > requestTimeoutMax:
		return fmt.Errorf("--request-timeout is from %v to %v", requestTimeoutMin, requestTimeoutMax)
	case len(f.Zone) > zoneBytesMax:
		return fmt.Errorf("--zone has at most %d bytes", zoneBytesMax)
	case certificates && (f.TLSCert == "" || f.TLSKey == "" || f.TLSCA == ""):
		return errors.New(certificatesTogether)
	case !local && !certificates && !c.Insecure:
		return fmt.Errorf("%s %s can be reached from other machines, and without certificates anybody there can read and change "+
			"everything: make some with 'stator cluster certs', or add --insecure if the network keeps others out", flag, at)
	}
	return nil
}

// listenAt is where the node listens for others, with the flag that says so.
func (f *clusterFlags) listenAt() (flag, address string) {
	if f.RPCListen != "" {
		return "--rpc-listen", f.RPCListen
	}
	return "--rpc", f.RPC
}

// secrets are what the node shows to other nodes, nil where they talk in the clear.
func (f *clusterFlags) secrets() (*tls.Config, error) {
	if f.TLSCert == "" {
		return nil, nil
	}
	return rpc.LoadTLS(f.TLSCert, f.TLSKey, f.TLSCA)
}

// membership is what the node needs to be one of many, nil for a node that is alone.
func (s *server) membership() (*node.Membership, error) {
	f := &s.command.Cluster
	if s.doors.rpc == nil {
		return nil, nil
	}
	secrets, err := f.secrets()
	if err != nil {
		return nil, err
	}
	address := f.RPC
	if f.RPCListen == "" {
		address = s.doors.rpc.Addr().String()
	}
	return &node.Membership{
		Listener: s.doors.rpc, Address: address, TLS: secrets, Init: f.ClusterInit, Join: f.Join,
		Zone: f.Zone, Replicas: f.Replicas, Timeout: f.RequestTimeout,
	}, nil
}
