package countersign

import "context"

// A Status is the state of a gate.
type Status struct {
	// PolicyDigest is [PolicyDigest] of the policy in force, ModuleDigest is
	// [SHA256].
	PolicyDigest, ModuleDigest string
	// Ready is [Gate.Ready].
	Ready bool
	// Documents are those of the policy in force.
	Documents []DocumentStatus
	// Shadow is nil if there is no candidate ([WithShadow]).
	Shadow *ShadowStatus
	// Source is nil if the policy is not a signed one ([NewFrom]).
	Source *SourceStatus
}

// Status returns the state of the gate, for operators and metrics.
func (g *Gate) Status(ctx context.Context) (status Status, err error) {
	nowMS, err := g.settings.nowMS()
	if err != nil {
		return Status{}, err
	}
	err = g.withReader(ctx, func(current *generation, reader *reader) (err error) {
		status = Status{PolicyDigest: current.digest, ModuleDigest: SHA256(), Ready: current.isReady()}
		status.Documents, err = reader.instance.Status(nowMS)
		return err
	})
	if err != nil {
		return Status{}, err
	}
	status.Source = g.source.state()
	if status.Shadow, err = g.shadow.Load().status(ctx, nowMS); err != nil {
		return Status{}, err
	}
	return status, nil
}
