/** Of every metric made here; the stage is its dimension `service`. Data alone: infrastructure names them, too. */
export const METRIC_NAMESPACE = 'Latchkey'
