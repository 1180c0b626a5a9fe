/// The integers modulo 65537, the smallest prime above what 16 bits hold (CFS 2004, `Ida::field`).
///
/// Elements are numbers below 65537 in 32 bits: 65536 needs a seventeenth one.
enum PrimeField {
    static let order: UInt64 = 65537

    /// The number that times `element` is one; zero for zero, which has none.
    static func inverse(_ element: UInt32) -> UInt32 {
        // Fermat: a^(p-2), and p-2 is 0xFFFF.
        var power = UInt64(element)
        var product: UInt64 = 1
        for _ in 0..<16 {
            product = product * power % order
            power = power * power % order
        }
        return UInt32(product)
    }

    /// `a - b * c`.
    static func subtract(_ a: UInt32, _ b: UInt32, times c: UInt32) -> UInt32 {
        let product = UInt64(b) * UInt64(c) % order
        return UInt32((UInt64(a) + order - product) % order)
    }

    /// `a * b`.
    static func multiply(_ a: UInt32, _ b: UInt32) -> UInt32 { UInt32(UInt64(a) * UInt64(b) % order) }
}

/// A square system of equations over the field, made row by row.
///
/// A row that says nothing new is refused, so a caller with more fragments than needed can go on to the next one. The
/// historic code takes the first `m` and fails; what it makes of them is the same.
struct Elimination {
    /// The rows kept, each reduced to its own column, and beside it which combination of the original rows it is.
    private var rows: [Row] = []
    private let size: Int

    init(size: Int) { self.size = size }

    /// Whether there are as many rows as unknowns.
    var isComplete: Bool { rows.count == size }

    /// Takes another row of coefficients; false if those before it say the same.
    mutating func add(_ coefficients: [UInt32]) -> Bool {
        var row = Row(column: 0, left: coefficients, right: [UInt32](repeating: 0, count: size))
        row.right[rows.count] = 1
        for other in rows { row.reduce(by: other) }
        guard let column = row.left.firstIndex(where: { $0 != 0 }) else { return false }
        let scale = PrimeField.inverse(row.left[column])
        let new = Row(
            column: column, left: row.left.map { PrimeField.multiply($0, scale) },
            right: row.right.map { PrimeField.multiply($0, scale) })
        for index in rows.indices { rows[index].reduce(by: new) }
        rows.append(new)
        return true
    }

    /// The inverse of the matrix that was put in, once it is complete: row `i` says how unknown `i` is made of the values.
    var inverse: [[UInt32]] {
        precondition(isComplete, "fewer rows than unknowns")
        return rows.sorted { $0.column < $1.column }.map(\.right)
    }

    private struct Row {
        /// Whose factor is one here, and zero in all other rows.
        var column: Int
        var left: [UInt32]
        var right: [UInt32]

        mutating func reduce(by row: Row) {
            let factor = left[row.column]
            guard factor != 0 else { return }
            for index in left.indices {
                left[index] = PrimeField.subtract(left[index], factor, times: row.left[index])
                right[index] = PrimeField.subtract(right[index], factor, times: row.right[index])
            }
        }
    }
}
