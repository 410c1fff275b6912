/// Lines with intervals over a number such as the layer or the dose.
///
/// Numbers that are not finite count as missing and leave a gap.
public struct LineChart: Chart {
  public struct Point: Sendable {
    public var x: Double
    public var y: Double
    /// Ends of the interval around `y`.
    public var low: Double?
    public var high: Double?

    public init(x: Double, y: Double, low: Double? = nil, high: Double? = nil) {
      self.x = x
      self.y = y
      self.low = low
      self.high = high
    }
  }

  public struct Series: Sendable {
    public var name: String
    /// In rising x.
    public var points: [Point]

    public init(name: String, points: [Point]) {
      self.name = name
      self.points = points
    }
  }

  /// A level across the whole plot, such as 0 or chance.
  public struct HorizontalLine: Sendable {
    public var y: Double
    public var label: String

    public init(y: Double, label: String) {
      self.y = y
      self.label = label
    }
  }

  /// A place on the horizontal axis, such as the layer chosen elsewhere.
  public struct VerticalLine: Sendable {
    public var x: Double
    public var label: String

    public init(x: Double, label: String) {
      self.x = x
      self.label = label
    }
  }

  /// A straight line between two points, such as a prediction.
  public struct StraightLine: Sendable {
    public var start: (x: Double, y: Double)
    public var end: (x: Double, y: Double)
    public var label: String

    public init(start: (x: Double, y: Double), end: (x: Double, y: Double), label: String) {
      self.start = start
      self.end = end
      self.label = label
    }
  }

  public var title: String
  public var xTitle: String
  public var yTitle: String
  public var series: [Series]
  public var horizontalLines: [HorizontalLine]
  public var verticalLines: [VerticalLine]
  public var straightLines: [StraightLine]
  /// Nil for a range that shows all points; what lies outside a given one is cut off.
  public var yRange: ClosedRange<Double>?
  /// What the bands are, told in the legend.
  public var intervalNote: String?
  /// Width of the picture and height of the plot, in pixels.
  public var width: Double
  public var plotHeight: Double

  public init(
    title: String, xTitle: String, yTitle: String, series: [Series],
    horizontalLines: [HorizontalLine] = [], verticalLines: [VerticalLine] = [],
    straightLines: [StraightLine] = [], yRange: ClosedRange<Double>? = nil,
    intervalNote: String? = nil, width: Double = 760, plotHeight: Double = 300
  ) {
    self.title = title
    self.xTitle = xTitle
    self.yTitle = yTitle
    self.series = series
    self.horizontalLines = horizontalLines
    self.verticalLines = verticalLines
    self.straightLines = straightLines
    self.yRange = yRange
    self.intervalNote = intervalNote
    self.width = width
    self.plotHeight = plotHeight
  }

  public var svg: String { LineChartPicture(chart: self).svg }

  public var table: CSV {
    CSV(
      header: ["series", "x", "y", "low", "high"],
      rows: series.flatMap { series in
        series.points.map { point in
          [series.name] + [point.x, point.y, point.low, point.high].map(CSV.number)
        }
      })
  }
}
