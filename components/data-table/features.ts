import { rowPaginationFeature, rowSelectionFeature, rowSortingFeature, tableFeatures } from "@tanstack/react-table";

/** What our tables use. Sorting and paging are the server's, so there are no row models for them. */
export const features = tableFeatures({ rowSortingFeature, rowPaginationFeature, rowSelectionFeature });

export type Features = typeof features;
