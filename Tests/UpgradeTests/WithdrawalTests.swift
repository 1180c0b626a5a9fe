import Testing
import VersionKitModel
import VersionKitUpgrade

@Suite("Versions that are taken back")
struct WithdrawalTests {
    /// A version's pipeline, so many stages on its way; `nil`: at its end.
    private func pipeline(_ version: Version, from predecessor: Version?, at stage: UpgradeStage?) -> UpgradePipeline {
        var pipeline = UpgradePipeline(to: version, from: predecessor)
        while case .perform(let current) = pipeline.action, current != stage { _ = pipeline.succeeded(current) }
        return pipeline
    }

    private func step(
        _ pipelines: [UpgradePipeline], _ withdrawn: Set<Version>, snapshots: Set<Version> = []
    ) -> Withdrawal.Step {
        Withdrawal.step(pipelines, withdrawn: withdrawn, snapshots: snapshots)
    }

    @Test("as long as the older version runs, the withdrawn one goes, however far it is")
    func takeAway() {
        let old = pipeline(1, from: nil, at: nil)
        for stage in UpgradeStage.allCases where stage != .retire {
            #expect(step([old, pipeline(2, from: 1, at: stage)], [2], snapshots: [1]) == .takeAway(2), "\(stage)")
        }
        #expect(step([pipeline(1, from: nil, at: .running)], [1]) == .takeAway(1), "nobody uses it yet")
    }

    @Test("while the older version retires, its end is waited for")
    func retiring() {
        #expect(step([pipeline(1, from: nil, at: nil), pipeline(2, from: 1, at: .retire)], [2]) == .nothing)
    }

    @Test("alone, it goes for the newest older snapshot of a version that is not withdrawn, and stays without one")
    func goBack() {
        let alone = pipeline(4, from: 3, at: nil)
        #expect(step([alone], [4], snapshots: [1, 2, 3, 4, 5]) == .goBack(to: 3))
        #expect(step([alone], [4, 3], snapshots: [1, 2, 3]) == .goBack(to: 2))
        #expect(step([alone], [4], snapshots: [4]) == .keep(4))
        #expect(step([alone], [4]) == .keep(4))
        #expect(step([pipeline(1, from: nil, at: nil)], [1]) == .keep(1))
    }

    @Test("what is not the newest goes by itself, and what is gone is gone")
    func nothing() {
        let pipelines = [pipeline(1, from: nil, at: nil), pipeline(2, from: 1, at: .serve)]
        #expect(step(pipelines, []) == .nothing)
        #expect(step(pipelines, [1, 3]) == .nothing)
        #expect(step([], [1]) == .nothing)
        var leaving = pipeline(2, from: 1, at: .migrate)
        _ = leaving.failed("withdrawn")
        #expect(step([pipelines[0], leaving], [2]) == .nothing)
    }
}
