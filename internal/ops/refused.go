package ops

import "stator/internal/model/api"

// Refused is a feature that members of built operations ask for and that this server does not have yet. To accept them in silence would be
// a lie that the client only finds out about later.
type Refused struct {
	Feature string // in the plural: it is the subject of the answer
	Members string // who asks for it
}

var (
	refusedGlobalTables = Refused{"Global tables", "GlobalTableSourceArn and GlobalTableSettingsReplicationMode of CreateTable; ReplicaUpdates, " +
		"MultiRegionConsistency, GlobalTableWitnessUpdates, GlobalTableSettingsReplicationMode and DisassociationProtectionEnabled of UpdateTable"}
	refusedVectors    = Refused{"Vector indexes", "VectorIndexes of CreateTable, VectorIndexUpdates of UpdateTable"}
	refusedRecoveries = Refused{"Recoveries to a point in time", "PointInTimeRecoveryEnabled of UpdateContinuousBackups"}
)

// RefusedFeatures lists what is refused.
func RefusedFeatures() []Refused {
	return []Refused{refusedGlobalTables, refusedVectors, refusedRecoveries}
}

// refusal is the answer to a request for the feature.
func (r Refused) refusal() error {
	return api.NewValidationException(r.Feature + " are not supported yet by this server")
}

// sentMember is whether a request asks for a feature that only some servers have.
type sentMember struct {
	feature Refused
	sent    bool
}

// checkSupported refuses the first feature that was asked for.
func checkSupported(members ...sentMember) error {
	for _, m := range members {
		if m.sent {
			return m.feature.refusal()
		}
	}
	return nil
}
