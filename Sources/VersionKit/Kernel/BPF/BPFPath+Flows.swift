import CLinux
import VersionKitModel

extension KernelTable {
    /// The keys that a condition holds for.
    func keys(where condition: (Key) -> Bool) throws(KernelPathError) -> [Key] {
        var keys: [Key] = []
        try forEach { key, _ in if condition(key) { keys.append(key) } }
        return keys
    }
}

extension DirectRoute {
    /// How a version knows a conversation that the peer began from a direct port which nobody had heard of.
    func unknownSource(_ directPort: UInt16, local: DirectPort) -> vk_version_key {
        vk_version_key(
            version: vk_be_address(version), peer: vk_be_address(peer), local_port: local.port.number.bigEndian,
            peer_port: directPort.bigEndian, protocol: port.transport.rawValue, zero: 0, zero2: 0)
    }
}

extension BPFPath.State {
    /// Ends conversations of which a condition holds, as their version knows them.
    func endFlows(where condition: (vk_version_key) -> Bool) throws(KernelPathError) {
        for key in try tables.versionFlows.keys(where: condition) { tables.versionFlows.remove(key) }
        var names: [vk_wire_key] = []
        try tables.wireFlows.forEach { key, flow in
            if let flow = flow.first, condition(key.versionKey(flow)) { names.append(key) }
        }
        for name in names { tables.wireFlows.remove(name) }
    }

    /// Forgets conversations that are over, and answers how many are left.
    ///
    /// A new one of the same name may begin between the look and the removal. It is looked at once more just before, and
    /// if it was in those microseconds after all, its first packet comes again and is decided again.
    func forgetFlows(_ age: FlowAge, now: UInt32) throws(KernelPathError) -> Int {
        var left = 0
        var leaving: [vk_version_key] = []
        try tables.versionFlows.forEach { key, flow in
            guard let flow = flow.first else { return }
            left += 1
            // Most are younger than anything that is forgotten, and need no second look-up.
            if now >= flow.life.seen, now - flow.life.seen > age.shortest { leaving.append(key) }
        }
        var arriving: [vk_wire_key] = []
        try tables.wireFlows.forEach { key, flow in
            guard let flow = flow.first else { return }
            if now >= flow.life.seen, now - flow.life.seen > age.shortest { arriving.append(key) }
        }
        for key in leaving where isOver(key, age, now) {
            if let flow = tables.versionFlows[key] { tables.wireFlows.remove(key.wireKey(flow)) }
            tables.versionFlows.remove(key)
            left -= 1
        }
        for name in arriving where isOver(name, age, now) { tables.wireFlows.remove(name) }
        return left
    }

    private func isOver(_ key: vk_version_key, _ age: FlowAge, _ now: UInt32) -> Bool {
        guard let flow = tables.versionFlows[key] else { return false }
        let other = tables.wireFlows[key.wireKey(flow)].map { FlowAge.Direction($0.life) }
        return age.isOver(FlowAge.Direction(flow.life), other, isTCP: key.isTCP, now: now)
    }

    private func isOver(_ name: vk_wire_key, _ age: FlowAge, _ now: UInt32) -> Bool {
        guard let flow = tables.wireFlows[name] else { return false }
        let key = name.versionKey(flow)
        // The version's own entry may mean another name by now, if a route was replaced: then this one is alone.
        let other = tables.versionFlows[key].flatMap { other in
            key.wireKey(other) == name ? FlowAge.Direction(other.life) : nil
        }
        return age.isOver(FlowAge.Direction(flow.life), other, isTCP: key.isTCP, now: now)
    }
}

extension vk_version_key {
    fileprivate var isTCP: Bool { `protocol` == TransportProtocol.tcp.rawValue }
}
