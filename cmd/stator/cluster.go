package main

type clusterCommand struct {
	Certs certsCommand `cmd:"" help:"Make the certificates by which the nodes of a cluster know each other."`
}
