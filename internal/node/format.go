package node

import "fmt"

// ErrOutdated is the answer to starting a node of a cluster with a release that is too old for it.
type ErrOutdated struct{ Writes, Reads int }

func (e *ErrOutdated) Error() string {
	return fmt.Sprintf("the cluster writes format %d and this release reads formats up to %d only: start the node with the release that the others run",
		e.Writes, e.Reads)
}

// inForce is the format that the cluster writes, as far as this node knows.
func (c *cluster) inForce() int {
	format := c.writes()
	if known, ok := c.node.catalog.Cluster(); ok {
		format = max(format, known.Format)
	}
	return format
}

// readable tells why a node that reads formats up to reads cannot be of this cluster.
func (c *cluster) readable(reads int) error {
	if format := c.inForce(); format > reads {
		return &ErrOutdated{Writes: format, Reads: reads}
	}
	return nil
}

// writes is the format that this node writes itself, at most the one in force.
func (c *cluster) writes() int {
	format, _ := c.node.engine.Format()
	return format
}

// raise has this node write the format that is in force.
func (c *cluster) raise() error {
	if err := c.readable(c.node.options.reads); err != nil {
		return err
	}
	before, now := c.writes(), c.inForce()
	if now == before {
		return nil
	}
	if err := c.node.engine.RaiseFormat(now); err != nil {
		return fmt.Errorf("taking up the format of the cluster: %w", err)
	}
	c.node.options.Log.Info("this node writes the format that the cluster was raised to", "format", now, "before", before)
	return nil
}
