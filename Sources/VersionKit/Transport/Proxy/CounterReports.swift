import NIOCore
import Synchronization
import VersionKitProxy

/// Tells `versiond` a proxy's counters, at the pace of ``ReportPace``, by a timer of one of its event loops.
final class CounterReports: Sendable {
    private struct State {
        var pace = ReportPace()
        var timer: Scheduled<Void>?
        var isStopped = false
    }

    private let server: ProxyServer
    private let control: ControlSocket
    private let loop: any EventLoop
    private let state = Mutex(State())

    init(of server: ProxyServer, to control: ControlSocket, on loop: any EventLoop) {
        (self.server, self.control, self.loop) = (server, control, loop)
    }

    /// Reports now, and goes on from here.
    func send() {
        let counters = server.counters
        // Clients on this loop do not wait for a versiond that does not read.
        if control.hasRoom {
            // If this fails versiond is gone, which the socket's reader hears.
            guard (try? control.send(.counters(counters))) != nil else { return }
        }
        let interval = state.withLock { $0.pace.interval(after: counters) }
        plan(in: interval)
        // Who begins to be asked again says so as soon as who never stopped.
        if interval > ReportPace.busyInterval {
            server.whenCounting { [weak self] in self?.plan(in: ReportPace.busyInterval) }
            // That may have been meanwhile.
            if server.counters != counters { plan(in: ReportPace.busyInterval) }
        }
    }

    private func plan(in interval: Duration) {
        state.withLock { state in
            guard !state.isStopped else { return }
            state.timer?.cancel()
            state.timer = loop.scheduleTask(in: interval.timeAmount) { [weak self] in self?.send() }
        }
    }

    /// Reports no more.
    func stop() {
        state.withLock { state in
            state.isStopped = true
            state.timer?.cancel()
        }
    }
}
