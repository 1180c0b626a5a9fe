import VersionKitIsolation
import VersionKitModel
import VersionKitUpgrade

/// Whether versions are well: when they start, and while they serve.
extension Node {
    func waitUntilHealthy(_ id: ApplicationID, _ version: Version) async throws {
        let running = try running(id, version)
        let health = health(of: running)
        let task = Task { try await health.wait() }
        applications[id]?.healthChecks[version] = task
        defer { applications[id]?.healthChecks[version] = nil }
        try throwIfEnded(id, version)
        do {
            try await withTaskCancellationHandler {
                try await task.value
            } onCancel: {
                task.cancel()
            }
        } catch {
            try throwIfEnded(id, version)
            throw error
        }
        if let port = running.manifest.ports.main {
            applications[id]?.clientEndpoints[version] = Endpoint(
                address: running.environment.addresses.primary, port: port)
        }
        watchHealth(id, version)
    }

    func throwIfEnded(_ id: ApplicationID, _ version: Version) throws {
        if let reason = applications[id]?.endedWhileStarting[version] { throw NodeError(reason) }
    }

    private func health(of running: RunningVersion) -> HealthCheck {
        HealthCheck(
            check: running.manifest.healthCheck, address: running.environment.addresses.primary,
            agent: running.environment.agent)
    }

    /// Goes on looking at a version that is healthy now, if its release asks for it or is tried out first, until its
    /// environment ends.
    func watchHealth(_ id: ApplicationID, _ version: Version) {
        guard let running = applications[id]?.running[version],
            let steady = running.manifest.healthCheck.steady ?? running.manifest.spread?.steadyHealth
        else { return }
        let health = health(of: running)
        let number = running.number
        applications[id]?.healthWatches[version]?.cancel()
        applications[id]?.healthWatches[version] = Task {
            var budget = HealthBudget(failuresMax: steady.failures)
            while true {
                try await Task.sleep(for: .milliseconds(steady.intervalMilliseconds))
                // One that is kept just now stands still, and cannot answer.
                guard self.isRunning(id, version, number) else { return }
                if self.isPaused(id, version) { continue }
                let failure = await health.failure()
                guard self.isRunning(id, version, number) else { return }
                guard !self.isPaused(id, version), let reason = budget.observe(failure) else { continue }
                // It runs on: whoever starts it again stops it first.
                return await self.versionExited(id, version, reason: reason)
            }
        }
    }

    /// Whether this is still the environment that the version has.
    private func isRunning(_ id: ApplicationID, _ version: Version, _ number: Int) -> Bool {
        applications[id]?.running[version]?.number == number
    }

    private func isPaused(_ id: ApplicationID, _ version: Version) -> Bool {
        applications[id]?.paused.contains(version) == true
    }
}
