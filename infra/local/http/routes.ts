import { LocalStackError } from '../errors.ts'

/** What a route leads to: a function, and how long API Gateway waits for it. */
export type Target = {
  invoke(event: string): Promise<string>
  readonly timeoutMilliseconds: number
}

export type RouteMatch = {
  /** As the template has it, such as `GET /v1/licenses/{id}`. */
  readonly routeKey: string
  readonly target: Target
  readonly pathParameters: Readonly<Record<string, string>> | undefined
}

type Route = Omit<RouteMatch, 'pathParameters'> & {
  readonly method: string
  readonly segments: readonly Segment[]
}

type Segment =
  | { readonly literal: string }
  | { readonly parameter: string }
  /** The last one takes all that is left of the path. */
  | { readonly rest: string }

/**
 * The routes of an HTTP API. A request goes to the route that fits it most closely: literal segments before
 * parameters and those before one that takes the rest, from the left; its method before `ANY`; `$default` when nothing fits (API Gateway developer guide,
 * "Create routes for HTTP APIs").
 */
export class RouteTable {
  private readonly routes: Route[] = []
  private fallback: Target | undefined

  /** @throws LocalStackError when the key has a form that is not supported here */
  add(routeKey: string, target: Target): void {
    if (routeKey === '$default') {
      this.fallback = target
      return
    }
    const [, method, path] = /^([A-Z]+) (\/.*)$/.exec(routeKey) ?? []
    if (method === undefined || path === undefined || /\+\}./.test(path)) {
      throw new LocalStackError(
        `The template's route ${routeKey} is of a form that is not supported locally.`,
      )
    }
    this.routes.push({ routeKey, target, method, segments: split(path).map(toSegment) })
    this.routes.sort(byPrecision)
  }

  /** The route of a request, its path percent-encoded as it came. */
  match(method: string, path: string): RouteMatch | undefined {
    const segments = split(path).map(decodeURIComponent)
    for (const route of this.routes) {
      if (route.method !== method && route.method !== 'ANY') continue
      const parameters = matchSegments(route.segments, segments)
      if (parameters === undefined) continue
      const { routeKey, target } = route
      const pathParameters = Object.keys(parameters).length > 0 ? parameters : undefined
      return { routeKey, target, pathParameters }
    }
    if (this.fallback === undefined) return undefined
    return { routeKey: '$default', target: this.fallback, pathParameters: undefined }
  }
}

const split = (path: string): string[] => path.slice(1).split('/')

function toSegment(text: string): Segment {
  const [, parameter, greedy] = /^\{([^}+]+)(\+)?\}$/.exec(text) ?? []
  if (parameter === undefined) return { literal: text }
  return greedy === undefined ? { parameter } : { rest: parameter }
}

function matchSegments(
  route: readonly Segment[],
  path: readonly string[],
): Record<string, string> | undefined {
  const last = route.at(-1)
  const isGreedy = last !== undefined && 'rest' in last
  if (isGreedy ? route.length > path.length : route.length !== path.length) return undefined
  const parameters: Record<string, string> = {}
  for (const [index, segment] of route.entries()) {
    const text = path[index] ?? ''
    if ('rest' in segment) {
      const rest = path.slice(index).join('/')
      if (rest === '') return undefined
      parameters[segment.rest] = rest
    } else if ('parameter' in segment) {
      if (text === '') return undefined
      parameters[segment.parameter] = text
    } else if (segment.literal !== text) return undefined
  }
  return parameters
}

/** The closest first, of those that can fit the same path: of as many segments, or the last takes the rest. */
function byPrecision(one: Route, other: Route): number {
  for (const [index, segment] of one.segments.entries()) {
    const opposite = other.segments[index]
    if (opposite === undefined) break
    const difference = breadth(segment) - breadth(opposite)
    if (difference !== 0) return difference
  }
  // The longer one is closer, if its beginning is the same: a rest takes at least one segment.
  if (one.segments.length !== other.segments.length) return other.segments.length - one.segments.length
  return Number(one.method === 'ANY') - Number(other.method === 'ANY')
}

const breadth = (segment: Segment) => ('literal' in segment ? 0 : 'parameter' in segment ? 1 : 2)
