import Foundation
import Testing
import VersionKitModel
import VersionKitUpgrade

@Suite("UpgradePipeline")
struct UpgradePipelineTests {
    /// A pipeline that has come as far as this stage.
    private func pipeline(at stage: UpgradeStage, from predecessor: Version? = 1) -> UpgradePipeline {
        var pipeline = UpgradePipeline(to: 2, from: predecessor)
        while case .perform(let current) = pipeline.action, current != stage { _ = pipeline.succeeded(current) }
        return pipeline
    }

    @Test("the stages are the paper's, in its order, and then those that lose nothing")
    func stages() {
        #expect(
            UpgradeStage.allCases.map(\.title) == [
                "Download", "Prep FS", "Create VM", "Copy to VM", "Config app", "Running", "Migrate", "Serve", "Retire",
            ])
        var pipeline = UpgradePipeline(to: 2, from: 1)
        for stage in UpgradeStage.allCases {
            #expect(pipeline.action == .perform(stage))
            _ = pipeline.succeeded(stage)
        }
        #expect(pipeline.state == .complete)
        #expect(pipeline.action == .finished)
    }

    @Test("an application's first version has nothing to migrate and nobody to retire")
    func first() {
        var pipeline = UpgradePipeline(to: 1, from: nil)
        var stages: [UpgradeStage] = []
        while case .perform(let stage) = pipeline.action {
            stages.append(stage)
            _ = pipeline.succeeded(stage)
        }
        #expect(stages == UpgradeStage.allCases.filter { $0 != .migrate && $0 != .retire })
    }

    @Test("a version that takes another's place migrates nothing, and gives nothing back once it serves")
    func inPlace() throws {
        var pipeline = pipeline(at: .prepareFileSystem)
        pipeline.use(.package)
        #expect(pipeline.isInPlace)
        var copy = pipeline
        #expect(copy.failed("no disk") == .remove(reason: "no disk"))
        var stages: [UpgradeStage] = []
        while case .perform(let stage) = pipeline.action {
            stages.append(stage)
            if stage == .serve {
                #expect(pipeline.failed("crashed") == nil)
                #expect(throws: RollbackError.self) { try pipeline.rollBack(reason: "by hand") }
            }
            _ = pipeline.succeeded(stage)
        }
        #expect(!stages.contains(.migrate) && stages.last == .retire)
        var first = UpgradePipeline(to: 1, from: nil)
        first.use(.package)
        #expect(!first.isInPlace)
    }

    @Test("a failure at any stage before the old version goes removes the new one and keeps the reason")
    func failures() {
        for stage in UpgradeStage.allCases where stage != .retire {
            var pipeline = pipeline(at: stage)
            #expect(pipeline.failed("no disk") == .remove(reason: "no disk"))
            #expect(pipeline.removed() == .finished)
            #expect(pipeline.state == .undone(stage, reason: "no disk"))
        }
    }

    @Test("once the old version goes there is nobody to give the work back to")
    func tooLate() {
        var retiring = pipeline(at: .retire)
        #expect(retiring.failed("crashed") == nil)
        #expect(retiring.state == .working(.retire))
        #expect(throws: RollbackError.self) { try retiring.rollBack(reason: "by hand") }
    }

    @Test("an operator takes a version away as long as the older one runs")
    func rollback() throws {
        var serving = pipeline(at: .serve)
        #expect(try serving.rollBack(reason: "by hand") == .remove(reason: "by hand"))
        let again = #expect(throws: RollbackError.self) { try serving.rollBack(reason: "by hand") }
        #expect(again?.description == "version 2 is already taken away")
        var only = pipeline(at: .serve, from: nil)
        #expect(throws: RollbackError.self) { try only.rollBack(reason: "by hand") }
    }

    @Test("whoever goes back to a snapshot takes the newer version away even if it is alone, and the older one serves")
    func snapshot() {
        var newer = UpgradePipeline(to: 2, from: 1)
        while case .perform(let stage) = newer.action { _ = newer.succeeded(stage) }
        newer.withdraw(reason: "back")
        #expect(newer.action == .remove(reason: "back"))
        #expect(!newer.isServing)
        _ = newer.removed()
        newer.withdraw(reason: "again")
        #expect(newer.state == .undone(.retire, reason: "back"))
        newer.resumeAlone()
        #expect(newer.isServing)
        #expect(newer.action == .finished)
    }

    @Test("a node that was killed starts an upgrade over until it serves, and goes on from then")
    func recovery() {
        for stage in UpgradeStage.allCases {
            var pipeline = pipeline(at: stage)
            let serves = stage == .serve || stage == .retire
            #expect(pipeline.isServing == serves)
            #expect(pipeline.recover() == .perform(serves ? stage : .download))
        }
        var failed = pipeline(at: .running)
        _ = failed.failed("crashed")
        #expect(failed.recover() == .remove(reason: "crashed"))
    }

    @Test("the journal reads every state as it was written")
    func coding() throws {
        var states = UpgradeStage.allCases.map { pipeline(at: $0) }
        var failed = pipeline(at: .migrate)
        _ = failed.failed("no disk")
        states.append(failed)
        _ = failed.removed()
        states.append(failed)
        var complete = pipeline(at: .retire)
        _ = complete.succeeded(.retire)
        states.append(complete)
        for state in states {
            #expect(try JSONDecoder().decode(UpgradePipeline.self, from: JSONEncoder().encode(state)) == state)
        }
    }
}
