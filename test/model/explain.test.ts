import { describe, expect, test } from '@jest/globals';
import { type Explainable, explainRequest, explainService } from '../../model/explain.ts';
import { createPlanner } from '../../model/plan-edge.ts';
import { aCatalog, anInstance, POLICY } from './a-catalog.ts';

const catalog = aCatalog([
  anInstance({
    service: 'shop',
    id: 'a',
    address: '10.0.0.1',
    tags: ['haproxy', 'haproxy_route=/shop', 'weight=7', 'other'],
    meta: { 'toots-variant': '/shop/stable' },
  }),
  anInstance({ service: 'shop', id: 'b', address: '10.0.0.2', health: 'critical', tags: ['haproxy'] }),
  anInstance({ service: 'shop', id: 'c', address: 'nowhere.example', tags: ['haproxy'] }),
  anInstance({
    service: 'site',
    id: 'e',
    address: '10.0.0.4',
    tags: ['haproxy_vhost=app.test,*.app.test', 'haproxy_backup', 'haproxy_auth=bob:secret'],
  }),
  anInstance({
    service: 'api',
    id: 'f',
    address: '10.0.0.5',
    tags: ['haproxy_vhost=app.test', 'haproxy_vhost=*.app.test', 'haproxy_vhost=*.b.app.test', 'haproxy_route=/api'],
  }),
  anInstance({ service: 'cart', id: 'd', address: '10.0.0.3', tags: ['haproxy_route=/shop/cart', 'haproxy_tcp=9000'] }),
]);
const { plan, problems } = createPlanner()(catalog, { ...POLICY, resolved: new Map([['nowhere.example', null]]) }, new Map());
const edge: Explainable = {
  catalog,
  plan,
  problems,
  resolved: new Map([['nowhere.example', null]]),
  ownNames: ['localhost'],
  dead: new Set(),
  holds: [],
  pinned: undefined,
};

describe('a request', () => {
  test.each([
    ['shop.service', '/shop/cart', 'host', 'shop.service', 'shop'],
    ['SHOP.Service.:8080', '/', 'host', 'shop.service', 'shop'],
    ['any.host', '/shop/cart/1?x=/y', 'path', '/shop/cart', 'cart'],
    ['any.host', '/shop', 'path', '/shop', 'shop'],
    ['app.test', '/api/x', 'host and path', 'app.test/api', 'api'],
    ['app.test', '/apis', 'host', 'app.test', 'site'],
    ['x.app.test', '/api', 'wildcard host', '*.app.test/api', 'api'],
    ['x.y.app.test:80', '/', 'wildcard host', '*.app.test', 'site'],
    ['x.b.app.test', '/api/x?y', 'wildcard host', '*.b.app.test/api', 'api'],
    ['x.b.app.test', '/', 'wildcard host', '*.app.test', 'site'],
    ['app.test.evil', '/api', 'none', undefined, undefined],
    ['localhost', '/', 'landing page', undefined, undefined],
    ['localhost', '/shop', 'path', '/shop', 'shop'],
    ['any.host', '/shopping', 'none', undefined, undefined],
  ])('to %s%s is taken by the %s %s', (host, path, rule, claim, service) => {
    const explained = explainRequest(edge, host, path);

    expect([explained.rule, explained.claim, explained.service?.service]).toEqual([rule, claim, service]);
  });
});

describe('a service', () => {
  test('has its hosts, paths and ports', () => {
    expect(explainService(edge, 'cart')).toMatchObject({ known: true, paths: ['/shop/cart'], ports: [9000] });
  });

  test('says of each instance whether it is served, with what, or why not', () => {
    expect(explainService(edge, 'shop').instances).toMatchObject([
      { id: 'a', served: true, weight: 7, variant: '/shop/stable', tags: ['haproxy', 'haproxy_route=/shop', 'weight=7'] },
      { id: 'b', served: false, whyNot: 'Consul calls it critical' },
      { id: 'c', served: false, whyNot: expect.stringContaining('see the problems') },
    ]);
    expect(explainService(edge, 'shop').problems).toMatchObject([{ subject: 'shop', value: 'nowhere.example' }]);
  });

  test('has its wildcard hosts and the paths of its hosts; a backup is told as one, a secret is not told', () => {
    expect(explainService(edge, 'api')).toMatchObject({ vhosts: ['*.app.test/api', '*.b.app.test/api', 'app.test/api'], paths: [] });
    expect(explainService(edge, 'site').instances).toMatchObject([
      { id: 'e', served: true, backup: true, tags: ['haproxy_vhost=app.test,*.app.test', 'haproxy_backup', 'haproxy_auth=(not shown)'] },
    ]);
  });

  test('has an instance that HAProxy has found dead, over HTTP or TCP, although Consul calls it healthy', () => {
    const dead = new Set(['tcp:cart/d_10.0.0.3:8080', 'shop/d_10.0.0.3:8080']);

    expect(explainService({ ...edge, dead }, 'cart').instances).toMatchObject([
      { id: 'd', served: false, whyNot: expect.stringContaining('cannot connect') },
    ]);
    expect(explainService({ ...edge, dead }, 'shop').instances[0]).toMatchObject({ id: 'a', served: true });
  });

  test('that came after the generation that the edge is pinned to is told so', () => {
    const pinned = { ...edge, plan: { ...plan, groups: new Map() }, pinned: 7 };

    expect(explainService(pinned, 'cart').instances).toMatchObject([{ served: false, whyNot: expect.stringContaining('generation 7') }]);
  });

  test('of which something is held is told so', () => {
    const hold = { service: 'shop', reason: 'its node is lost', until: '2030-01-01T00:00:00.000Z' };

    expect(explainService({ ...edge, holds: [hold] }, 'shop').held).toBe(
      'its node is lost; until 2030-01-01T00:00:00.000Z, or toots release shop',
    );
    expect(explainService({ ...edge, holds: [hold] }, 'cart')).not.toHaveProperty('held');
  });

  test('that Consul does not have is told so', () => {
    expect(explainService(edge, 'nobody')).toMatchObject({ known: false, instances: [] });
  });
});
