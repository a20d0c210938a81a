package multiraft

import "stator/internal/storage/engine"

// commit gathers the writes of many groups into as few engine commits as their size allows.
type commit struct {
	host *Host
	// sync tells that what is gathered must be durable in the end.
	sync bool
	// open is what was not given to the engine yet; unsynced tells that something was, and is not durable.
	open     *engine.Batch
	unsynced bool
	err      error
}

func (c *commit) batch() *engine.Batch {
	if c.open == nil {
		c.open = c.host.options.Engine.NewBatch()
	}
	return c.open
}

// bound ends a commit that has become large. The last one makes it durable: a sync takes along what was committed before.
func (c *commit) bound() {
	if c.open != nil && c.open.Len() >= commitBytesMax {
		c.write(false)
		c.unsynced = true
	}
}

// end writes the rest. After a failure the host does nothing any more: what the engine then holds is not known.
func (c *commit) end() bool {
	switch {
	case c.open != nil:
		c.write(c.sync)
	case c.sync && c.unsynced && c.err == nil:
		c.err = c.host.options.Engine.Sync()
	}
	if c.err != nil {
		c.host.fail(c.err)
	}
	return c.err == nil
}

func (c *commit) write(sync bool) {
	if c.err == nil {
		c.err = c.host.options.Engine.Commit(c.open, sync)
	}
	if c.err == nil {
		c.open.Close()
	}
	c.open = nil
}
