package main

type clusterCommand struct {
	Status       clusterStatusCommand       `cmd:"" help:"Show how the cluster is, and what is under way."`
	Nodes        clusterNodesCommand        `cmd:"" help:"List its nodes."`
	Partitions   clusterPartitionsCommand   `cmd:"" help:"List partitions, with who keeps and leads them."`
	Move         clusterMoveCommand         `cmd:"" help:"Move a replica to another node."`
	Transfer     clusterTransferCommand     `cmd:"" help:"Have another node lead a partition."`
	Decommission clusterDecommissionCommand `cmd:"" help:"Move all that a node has to others, so that it can be stopped for good."`
	Set          clusterSetCommand          `cmd:"" help:"Say how many replicas there shall be, and how patient the cluster is with silent nodes."`
	Upgrade      clusterUpgradeCommand      `cmd:"" help:"Have the cluster write the newest format that all its nodes read."`
	Certs        certsCommand               `cmd:"" help:"Make the certificates by which the nodes of a cluster know each other."`
}
